"""What is broken, in which order: a deck of all faults, shuffled by the seed and dealt again and again.

A deck, not dice: a run of as many faults as the deck has cards has met each of them once.
"""

import dataclasses
import enum
import random
from collections.abc import Iterator, Sequence

ROBOT_LINE = "robot-line"
"""Between the robots and the gateway."""
OPERATOR_LINE = "operator-line"
"""Between people and the gateway."""
LINES = (ROBOT_LINE, OPERATOR_LINE)
_SHORTEST_S = 2.0
"""Of a freeze or a cut, where the longest allows it."""
_UNBREAKABLE = ("demonstrator",)
"""Done before anything is broken."""
_HUMAN_PATH = ("gateway", "operators", *LINES)


class Way(enum.StrEnum):
    """How something is broken."""

    KILL = "kill"
    """SIGKILL."""
    FREEZE = "freeze"
    """SIGSTOP, and SIGCONT later."""
    CUT = "cut"
    """A line that carries nothing; what was on its way arrives late."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing to break."""

    way: Way
    victim: str
    """A process of the fleet, or a line."""
    lasts_s: float
    """0 for a kill."""
    pause_s: float
    """Before it."""

    @property
    def kind(self) -> str:
        """What it is counted as: the number of a process does not matter."""
        return f"{self.way} {self.victim.rstrip('0123456789').rstrip('-')}"

    @property
    def parts_people(self) -> bool:
        """Whether it stands between a person who drives and the robot."""
        return self.victim in _HUMAN_PATH

    @property
    def in_words(self) -> str:
        """For people."""
        return f"{self.way} {self.victim}" + (f" for {self.lasts_s:.1f} s" if self.lasts_s else "")


def schedule(processes: Sequence[str], *, seed: int, freeze_s: float, pause_s: float) -> Iterator[Fault]:
    """Faults without end; the same for the same processes, seed and times.

    Args:
        processes: names of the fleet's processes.
        seed: of everything that is drawn.
        freeze_s: longest freeze or cut.
        pause_s: mean pause before a fault.
    """
    chance = random.Random(f"chaos/{seed}")
    victims = [name for name in processes if name not in _UNBREAKABLE]
    cards = [(way, name) for name in victims for way in (Way.KILL, Way.FREEZE)] + [(Way.CUT, line) for line in LINES]
    while True:
        chance.shuffle(cards)
        for way, victim in cards:
            lasts_s = 0.0 if way is Way.KILL else chance.uniform(min(_SHORTEST_S, freeze_s), freeze_s)
            yield Fault(way=way, victim=victim, lasts_s=lasts_s, pause_s=pause_s * chance.uniform(0.5, 1.5))

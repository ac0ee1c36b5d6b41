"""How far a staged rollout has come: one tag of the model, so that robots, judge and people see the same.

    stages (1, 3, 8):  stage 0 = one canary robot -> stage 1 = three -> stage 2 = everybody = promotion

The canary alias stays the truth about which version is on trial; a state for another version counts for
nothing. `rollout.py` moves it, `releases.py` asks it who may run the canary.
"""

import dataclasses
import itertools
import json
import logging
from collections.abc import Sequence

from infra.registry import PolicyRegistry
from policy.errors import ConfigError

_LOG = logging.getLogger(__name__)
_TAG = "rollout"
_ALL = "all"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RolloutConfig:
    """By which steps a version reaches the fleet."""

    stages: tuple[str, ...] = ("1", "3", _ALL)
    """Robots that run it, stage by stage: rising counts, and at last "all", which is the promotion."""
    min_soak_s: float = 120.0
    """Wall time that each stage lasts at least; pauses do not count."""
    min_robot_minutes: float = 5.0
    """Robot time that its robots must have worked in each stage at least."""

    def __post_init__(self) -> None:
        counts = self.stages[:-1]
        if not self.stages or self.stages[-1] != _ALL or not all(count.isdecimal() for count in counts):
            raise ConfigError('rollout.stages are robot counts and "all" at the end', stages=self.stages)
        numbers = [0, *map(int, counts)]
        if any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
            raise ConfigError("rollout.stages must rise from at least 1", stages=self.stages)
        if self.min_soak_s < 0 or self.min_robot_minutes < 0:
            raise ConfigError("min_soak_s and min_robot_minutes must not be negative")

    def counts(self, num_robots: int) -> tuple[int, ...]:
        """Robots per stage in a fleet of that size, the whole fleet last; steps that it has no robots for fall away."""
        return (*(int(count) for count in self.stages[:-1] if int(count) < num_robots), num_robots)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rollout:
    """A rollout under way."""

    version: str
    champion: str
    """What it is to replace."""
    stages: tuple[int, ...]
    """Robots per stage; the last is the whole fleet, 0 where its size is not known."""
    fleet: tuple[str, ...]
    """Robots in the order in which they join."""
    min_soak_s: float
    min_robot_minutes: float
    author: str
    """Who made the last move, and why."""
    reason: str
    started_ns: int
    stage_since_ns: int
    stage: int = 0
    paused_ns: int = 0
    """Since when it is paused; 0 where it is not."""
    idle_ns: int = 0
    """How long earlier pauses of this stage lasted."""

    def __post_init__(self) -> None:
        if not 0 <= self.stage < len(self.stages):
            raise ValueError(f"stage {self.stage} of {len(self.stages)}")

    @property
    def robots(self) -> tuple[str, ...]:
        """Who may run the version now."""
        return () if self.stage == len(self.stages) - 1 else self.fleet[: self.stages[self.stage]]

    @property
    def next_robots(self) -> tuple[str, ...]:
        """Who may run it after the next move."""
        return self.fleet if self.leads_to_all else self.fleet[: self.stages[self.stage + 1]]

    @property
    def leads_to_all(self) -> bool:
        """Whether the next move is the promotion."""
        return self.stage + 2 >= len(self.stages)

    @property
    def is_paused(self) -> bool:
        """Whether it goes on only after `resume`."""
        return self.paused_ns > 0

    @property
    def in_words(self) -> str:
        """Where it stands, in one line."""
        who = f"on {', '.join(self.robots)}" if self.robots else "on no robot"
        held = f", paused by {self.author}: {self.reason}" if self.is_paused else ""
        return f"version {self.version} at stage {self.stage + 1} of {len(self.stages)}, {who}{held}"

    def elapsed_s(self, now_ns: int) -> float:
        """How long the stage has run, without its pauses."""
        until_ns = self.paused_ns or now_ns
        return max(0, until_ns - self.stage_since_ns - self.idle_ns) / 1e9


def read(registry: PolicyRegistry, canary: str | None) -> Rollout | None:
    """The rollout of the version that is on trial; None where it is tried without one.

    Args:
        registry: where the state is.
        canary: the version that the canary alias points to.
    """
    text = registry.model_tags().get(_TAG) if canary else None
    if not text:
        return None
    try:
        fields = json.loads(text)
        lists = {name: tuple(fields[name]) for name in ("stages", "fleet")}
        rollout = Rollout(**{**fields, **lists})
    except (ValueError, TypeError, KeyError) as error:
        # Robots ask this on the thread that brings their weights: it must survive whatever stands there.
        _LOG.warning("the rollout's state is not readable; only the canary cohort counts", extra={"cause": str(error)})
        return None
    return rollout if rollout.version == canary else None


def write(registry: PolicyRegistry, rollout: Rollout | None) -> None:
    """Keep a state; None removes it."""
    registry.set_model_tag(_TAG, json.dumps(dataclasses.asdict(rollout)) if rollout else "")


def begin(
    version: str,
    champion: str,
    fleet: Sequence[str],
    config: RolloutConfig,
    *,
    author: str,
    reason: str,
    now_ns: int,
) -> Rollout:
    """The first stage."""
    return Rollout(
        version=version,
        champion=champion,
        stages=config.counts(len(fleet)),
        fleet=tuple(fleet),
        min_soak_s=config.min_soak_s,
        min_robot_minutes=config.min_robot_minutes,
        author=author,
        reason=reason,
        started_ns=now_ns,
        stage_since_ns=now_ns,
    )

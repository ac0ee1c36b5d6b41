"""What can be asked of the box, and in which words.

Each goal has wordings for training and others that are held out: a policy that does as it is told
in words it was never trained on has understood, not memorised.
"""

import dataclasses
from collections.abc import Sequence

from robots.busybox.layout import MODULES, PARTS, SOCKETS

_ORDINALS = {"first": "1st", "second": "2nd", "third": "3rd"}
_ENDS = {"top": "all the way up", "middle": "halfway", "bottom": "all the way down"}
_DIGITS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Goal:
    """One part in one position."""

    module: str
    part: int
    """Index into `PARTS`; for the wire, into `SOCKETS`."""
    position: int
    """Index into the part's positions; 0 for buttons and sockets, which have one."""


def all_goals(modules: Sequence[str] = MODULES) -> tuple[Goal, ...]:
    """Every goal of these modules, in a fixed order."""
    goals = [
        Goal(module=part.module, part=index, position=position)
        for index, part in enumerate(PARTS)
        for position in range(len(part.positions))
    ]
    goals += [Goal(module="wire", part=index, position=0) for index in range(len(SOCKETS))]
    return tuple(goal for goal in goals if goal.module in modules)


def trained_instructions(goal: Goal) -> tuple[str, ...]:
    """Wordings that demonstrations use; the first is the plainest."""
    name, position = _names(goal)
    match goal.module:
        case "buttons":
            return f"press the {name}", f"push the {name}", f"press down the {name}"
        case "switches":
            return f"flip the {name} {position}", f"turn the {name} {position}", f"set the {name} to {position}"
        case "sliders":
            return (
                f"move the {name} to the {position}",
                f"push the {name} to the {position}",
                f"set the {name} to the {position}",
            )
        case "knob":
            return (
                f"turn the knob to {position}",
                f"set the knob to {position}",
                f"turn the knob to position {position}",
            )
        case _:
            return (
                f"plug the wire into the {name} socket",
                f"put the wire into the {name} socket",
                f"connect the wire to the {name} socket",
            )


def held_out_instructions(goal: Goal) -> tuple[str, ...]:
    """Wordings that no demonstration uses; each holds at least one word that training lacks."""
    name, position = _names(goal)
    which, _, what = name.partition(" ")
    match goal.module:
        case "buttons":
            return (
                f"click the {name}",
                f"give the {which} push button a tap",
                f"please depress the {_ORDINALS[which]} button",
            )
        case "switches":
            return (
                f"toggle the {name} {position}",
                f"switch {position} the {which} lever",
                f"the {which} toggle should be {position}",
            )
        case "sliders":
            return (
                f"slide the {name} {_ENDS[position]}",
                f"drag the {which} fader to the {position}",
                f"bring the {which} {what} {_ENDS[position]}",
            )
        case "knob":
            return (
                f"rotate the dial to position {position}",
                f"dial in {_DIGITS[position]}",
                f"twist the knob until it points at {position}",
            )
        case _:
            return (
                f"insert the cable into the {name} socket",
                f"hook the wire up to the {name} port",
                f"attach the cable to the {name} jack",
            )


def _names(goal: Goal) -> tuple[str, str]:
    if goal.module == "wire":
        return SOCKETS[goal.part], ""
    part = PARTS[goal.part]
    return part.name, part.position_names[goal.position]

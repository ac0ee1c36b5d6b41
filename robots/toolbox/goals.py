"""Sub-goals of toolbox packing, in the order in which they are usually reached."""

import dataclasses
import enum


class Stage(enum.IntEnum):
    """The sub-goal under way; all before it are reached."""

    GRASP = 0
    OPEN = 1
    PACK = 2
    CLEAR = 3
    CLOSE = 4
    LET_GO = 5
    DONE = 6


_MISSING = {
    Stage.GRASP: "tool not grasped",
    Stage.OPEN: "lid not open",
    Stage.PACK: "tool not in its slot",
    Stage.CLEAR: "hand not out of the tray",
    Stage.CLOSE: "lid not closed",
    Stage.LET_GO: "lid not let go",
    Stage.DONE: "",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """What is true now, as far as the sub-goals ask."""

    closes: bool
    """Whether the lid is to be closed in the end; otherwise it is to stay open."""
    is_held: bool
    """The named tool, by the right hand."""
    is_open: bool
    """The lid, wide enough to pass beneath."""
    is_seated: bool
    """The named tool, in the named slot."""
    is_clear: bool
    """The right hand is beside the tray and holds nothing: the lid does not meet it."""
    is_closed: bool
    """The lid has latched."""
    is_relaxed: bool
    """The left hand no longer presses."""


def stage_of(facts: Facts) -> Stage:
    """The first sub-goal that is not reached."""
    if not facts.is_seated:
        if not facts.is_held:
            return Stage.GRASP
        return Stage.PACK if facts.is_open else Stage.OPEN
    if not facts.is_clear:
        return Stage.CLEAR
    if not facts.closes:
        return Stage.DONE if facts.is_open else Stage.OPEN
    if not facts.is_closed:
        return Stage.CLOSE
    return Stage.DONE if facts.is_relaxed else Stage.LET_GO


def missing(stage: Stage) -> str:
    """What is still to be done, in words; empty when all is."""
    return _MISSING[stage]

"""What a robot may need a person for, from its own senses: one kind of need per trigger, in order of weight.

A need lasts as long as its cause; `asking.py` makes one request of it, with a name, a deadline and an end.
"""

import dataclasses

from corrections import answers
from policy.schema import HelpKind, Severity

NO_PROGRESS = "no_progress"
SPREAD = "spread"
WATCHDOG = "watchdog"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Need:
    """Why a robot wants a person now."""

    trigger: str
    reason: str
    """In words: "no progress for 2.0 s"."""
    kind: HelpKind = HelpKind.CHOOSE
    severity: Severity = Severity.WARNING
    question: str = "What should it do?"
    options: tuple[str, ...] = (answers.TAKE_OVER, answers.TRY_AGAIN, answers.GO_ON)


def lost() -> Need:
    """Its operator went away."""
    return Need(
        trigger=answers.LOST,
        reason="the link to its operator was lost",
        kind=HelpKind.TAKE_OVER,
        severity=Severity.ERROR,
        question="Take it over, and hand it back when it may go on.",
        options=(),
    )


def stopped(reason: str) -> Need:
    """Somebody stopped it."""
    return Need(
        trigger=answers.STOPPED,
        reason=f"stopped: {reason}",
        kind=HelpKind.RESET_SCENE,
        severity=Severity.ERROR,
        question="Put the scene in order, then clear the stop.",
        options=(),
    )

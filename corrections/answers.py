"""Which answers a request for help takes."""

from corrections.protocol import Help
from policy.errors import WireError
from policy.schema import HelpKind, Outcome

TAKE_OVER = "take over"
"""An option that only claims: the lease itself ends the request."""
TRY_AGAIN = "try again"
"""End this episode and begin the next."""
GO_ON = "go on"
"""Nothing is wrong: close the request, and do not ask the same again for a while."""
MUTE_S = 10.0
"""That while."""
DONE = "done"
"""The scene is as it should be."""
CLEARED = "cleared"
"""The stop was taken off."""
STOPPED = "stopped"
LOST = "lost"
UNLABELLED = "unlabelled"
"""Triggers that gateway and robots both name."""

_OUTCOMES = tuple(str(outcome) for outcome in Outcome if outcome is not Outcome.UNLABELLED)


def check(request: Help, answer: str) -> None:
    """Refuse an answer that the request does not take.

    Raises:
        WireError: says which answers it takes.
    """
    if request.trigger in (STOPPED, LOST):
        raise WireError("words do not move this robot: clear its stop, or take it over", request_id=request.request_id)
    match request.kind:
        case HelpKind.CHOOSE:
            is_right, expected = answer in request.options, ", ".join(request.options)
        case HelpKind.CONFIRM_OUTCOME:
            is_right, expected = answer in _OUTCOMES, ", ".join(_OUTCOMES)
        case HelpKind.RESET_SCENE:
            is_right, expected = answer == DONE, DONE
        case HelpKind.POINT:
            is_right, expected = _is_point(answer), "x y CAMERA in shares of its picture, such as 0.25 0.5 wrist"
        case HelpKind.TAKE_OVER:
            is_right, expected = answer == TAKE_OVER, TAKE_OVER
    if not is_right:
        raise WireError("not an answer to this request", got=answer[:80], expected=expected)


def _is_point(answer: str) -> bool:
    try:
        left, top, camera = answer.split(maxsplit=2)
        x, y = float(left), float(top)
    except ValueError:
        return False
    return 0 <= x <= 1 and 0 <= y <= 1 and camera.isprintable()

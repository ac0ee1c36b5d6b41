"""Which ended episodes people are asked about: those whose outcome no sensor knows, each once."""

import collections

from corrections import answers
from corrections.protocol import Help, RobotState
from policy.schema import HelpKind, Severity

_MAX_OPEN = 4
"""Episodes of one robot that wait for a judgement; older ones are left to the review. The list goes to people whole:
so many of a thousand robots are as many as one message holds."""
_MAX_LABELLED = 1_000


def request_of(episode_id: str) -> str:
    """Name of the request that asks how an episode went."""
    return f"{episode_id}-outcome"


class OutcomeQuestions:
    """Remembers what was asked and what people said unasked."""

    def __init__(self) -> None:
        self._asked: dict[str, collections.deque[str]] = {}
        self._labelled: collections.deque[str] = collections.deque(maxlen=_MAX_LABELLED)

    def next(self, state: RobotState) -> Help | None:
        """The question about the episode that a report says nobody judged; None if it was asked or answered."""
        episode_id = state.unlabelled_episode_id
        asked = self._asked.setdefault(state.robot_id, collections.deque())
        if not episode_id or episode_id in asked or episode_id in self._labelled:
            return None
        asked.append(episode_id)
        return Help(
            request_id=request_of(episode_id),
            kind=HelpKind.CONFIRM_OUTCOME,
            trigger=answers.UNLABELLED,
            severity=Severity.INFO,
            reason="nobody knows how the episode went",
            question="How did it go?",
        )

    def restore(self, robot_id: str, episode_id: str, request: Help) -> bool:
        """Whether this is one of our questions; if so, it was asked before."""
        if request.trigger != answers.UNLABELLED:
            return False
        self._asked.setdefault(robot_id, collections.deque()).append(episode_id)
        return True

    def too_old(self, robot_id: str) -> str:
        """Name of a request that others have pushed out; empty while there are few."""
        asked = self._asked[robot_id]
        return request_of(asked.popleft()) if len(asked) > _MAX_OPEN else ""

    def labelled(self, episode_id: str) -> None:
        """Somebody said how it went."""
        self._labelled.append(episode_id)

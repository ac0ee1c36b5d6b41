"""Another base where the judge rejected the first: without one no robot works, and no round ever begins."""

import logging

from infra.registry import CHAMPION, PolicyRegistry
from learner.train_state import TrainState

_LOG = logging.getLogger(__name__)
_SEED_STEP = 100


def seed_of(seed: int, *, round: int, attempt: int) -> int:
    """The seed of one training: another one for each round and each attempt at the base."""
    return seed + 1_000 * round + _SEED_STEP * attempt


def begin_from(last: TrainState | None) -> tuple[TrainState | None, int]:
    """The training to go on from, None for a base; and the attempt at the base that this one is."""
    if last is None or not last.is_rejected:
        return last, last.attempt if last else 0
    return None, last.attempt + 1


class BaseTries:
    """Knows whether the base has to be trained again."""

    def __init__(self, registry: PolicyRegistry, max_tries: int) -> None:
        self._registry, self._max_tries = registry, max_tries
        self._told = ""

    def look(self, last: TrainState | None) -> None:
        """Mark the last training as rejected if it was a base that nobody may run, and there is a try left.

        Raises:
            RegistryUnavailable: ask again later.
        """
        if last is None or last.round or not last.published:
            return
        tags = self._registry.get(last.published).tags
        last.is_rejected = False
        if tags.get("status") != "rejected" or self._registry.alias(CHAMPION) is not None:
            return
        num_tried = last.attempt + 1
        last.is_rejected = num_tried < self._max_tries
        then = "another seed" if last.is_rejected else "no try is left: record better demonstrations, or promote one"
        self._say(
            f"base {last.published} ({num_tried} of {self._max_tries}) was rejected: {tags.get('role_reason')}; {then}"
        )

    def _say(self, words: str) -> None:
        if words != self._told:
            _LOG.warning("%s", words)
            self._told = words

"""Whether robots ask for help at the right moments."""

import numpy as np

from console.history.columns import Bool
from console.history.episode_table import OUTCOMES, ROLLOUT, SUCCESS
from console.history.snapshot import Snapshot
from policy.schema import Outcome

FAILED = tuple(OUTCOMES.index(outcome) for outcome in (Outcome.FAILURE, Outcome.TIMED_OUT))


def false_alarms(found: Snapshot) -> Bool:
    """bool[E], episodes with a request that nobody needed to answer.

    Either a request resolved itself, or the episode succeeded without any intervention.
    """
    alarm = (found.judged.num_requests > 0) & (found.judged.outcome == SUCCESS) & ~found.episodes.is_assisted()
    for own in found.helps:
        if own.result == "self_resolved":
            row = found.episodes.row(own.request["episode_id"])
            if row is not None:
                alarm[row] = True
    return np.asarray(alarm, np.bool_)


def missed(found: Snapshot) -> Bool:
    """bool[E], rollouts that failed without a request and without help."""
    failed = np.isin(found.judged.outcome, FAILED) & (found.episodes.source == ROLLOUT)
    return np.asarray(failed & (found.judged.num_requests == 0) & ~found.episodes.is_assisted(), np.bool_)

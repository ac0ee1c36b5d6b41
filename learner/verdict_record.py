"""A verdict as people see it: plain numbers that the judge leaves in the registry and the console shows."""

import math
from collections.abc import Sequence

from learner.sequential import log_e_value, num_more_needed
from learner.trial import Pair, by_task
from learner.verdict import GateConfig, judge_pairs
from policy.statistics import difference_interval, wilson_interval


def verdict_record(pairs: Sequence[Pair], config: GateConfig) -> dict[str, object]:
    """Word, reason, counts and intervals per task, and about how much more it takes; ready for JSON.

    `num_more_needed` counts paired scenes at the present gap, and is None where the present gap would never
    decide. `e_values` are natural logs; "better" and "quicker" decide at `needed`.
    """
    verdict = judge_pairs(pairs, config)
    pairs = pairs[: config.max_pairs]
    differences = [pair.difference for pair in pairs]
    return {
        "word": verdict.word,
        "reason": verdict.reason,
        "num_pairs": len(pairs),
        "min_pairs": config.min_pairs,
        "max_pairs": config.max_pairs,
        "num_more_needed": _num_more(pairs, config),
        "tasks": [_task(task, own) for task, own in by_task(pairs).items()],
        "e_values": {
            "better": log_e_value(differences),
            "worse": log_e_value([-difference for difference in differences]),
            "not_worse": log_e_value(differences, config.success_margin),
            "quicker": log_e_value([pair.speed for pair in pairs]),
            "needed": -math.log(config.alpha / 2),
        },
    }


def _num_more(pairs: Sequence[Pair], config: GateConfig) -> int | None:
    """The shorter of the two ways to win, and never fewer than the least number of scenes."""
    differences, alpha = [pair.difference for pair in pairs], config.alpha / 2
    by_success = num_more_needed(differences, alpha)
    not_worse = num_more_needed(differences, alpha, config.success_margin)
    quicker = num_more_needed([pair.speed for pair in pairs], alpha)
    by_speed = None if not_worse is None or quicker is None else max(not_worse, quicker)
    ways = [way for way in (by_success, by_speed) if way is not None]
    return max(min(ways), config.min_pairs - len(pairs)) if ways else None


def _task(task: str, pairs: Sequence[Pair]) -> dict[str, object]:
    ours, theirs = (sum(pair.ours.is_success for pair in pairs), sum(pair.theirs.is_success for pair in pairs))
    difference = difference_interval(ours, len(pairs), theirs, len(pairs))
    return {
        "task": task,
        "candidate": _rate(ours, len(pairs)),
        "champion": _rate(theirs, len(pairs)),
        "difference": difference.estimate,
        "low": difference.low,
        "high": difference.high,
    }


def _rate(num_successes: int, num_trials: int) -> dict[str, float]:
    interval = wilson_interval(num_successes, num_trials)
    return {"n": num_trials, "k": num_successes, "low": interval.low, "high": interval.high}

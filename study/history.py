"""What a history of promotions comes to: against the start, after jumps, and over all rounds."""

from collections.abc import Sequence

from policy.statistics import difference_interval
from study.cell import Finding
from study.compare import pool

_RECOVERED_WITHIN = 0.02
"""Points of success below the round before a jump that count as back: two scenes of a hundred."""
_UNKEPT = ("failed_scenes", "failures", "success_low", "success_high")


def compared(champion: Finding, start: Finding) -> Finding:
    """The champion's figures of a round, and the start's on the same scenes."""
    apart = difference_interval(
        champion["num_successes"], champion["num_episodes"], start["num_successes"], start["num_episodes"]
    )
    return {
        **{name: value for name, value in champion.items() if name not in _UNKEPT},
        "start_success_rate": start["success_rate"],
        "above_start": apart.estimate,
        "above_start_low": apart.low,
        "above_start_high": apart.high,
    }


def recovery(curve: Sequence[Finding], jump: int) -> Finding:
    """Rounds and robot minutes from a jump until success is about what it was before; None if never."""
    before = curve[jump - 2]["success_rate"]
    minutes = 0.0
    for num_rounds, entry in enumerate(curve[jump - 1 :], start=1):
        minutes += entry["robot_minutes"]
        if entry["success_rate"] >= before - _RECOVERED_WITHIN:
            return {"jump": jump, "before": before, "num_rounds": num_rounds, "robot_minutes": minutes}
    return {"jump": jump, "before": before, "num_rounds": None, "robot_minutes": None}


def summary(curve: Sequence[Finding]) -> Finding:
    """A history's figures: the champion's success over all rounds, and what became of the candidates."""
    pooled = pool(curve)
    won = sum(entry["num_successes"] for entry in curve)
    return {
        "num_episodes": pooled.num_episodes,
        "num_successes": won,
        "success_rate": pooled.success.estimate,
        "success_low": pooled.success.low,
        "success_high": pooled.success.high,
        "throughput_per_robot_hour": pooled.throughput_per_robot_hour,
        "robot_hours": sum(entry["robot_hours"] for entry in curve),
        "steps_of_successes": pooled.steps_of_successes if won else None,
        "num_correction_steps": sum(entry["num_correction_steps"] for entry in curve),
        "num_promoted": sum(entry["is_promoted"] for entry in curve),
        "num_refused": sum(not entry["is_promoted"] for entry in curve),
        "num_below_start": sum(entry["above_start"] < 0 for entry in curve),
        "num_clearly_below_start": sum(entry["above_start_high"] < 0 for entry in curve),
        "start_success_rate": sum(entry["start_success_rate"] for entry in curve) / len(curve),
        "curve": list(curve),
    }

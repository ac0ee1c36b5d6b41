"""Is anything stuck, and is the learner healthy? What the services themselves say."""

from console.history.fleet_watch import FleetView
from console.history.question import Json, Question, plain


def lag(view: FleetView) -> Json | None:
    """What waits between robots, lake and learner; None where no service says."""
    waiting = {sample.labels["topic"]: sample.value for sample in view.values("touchline_kafka_lag_records")}
    ages = {sample.labels["topic"]: sample.value for sample in view.values("touchline_delta_commit_age_seconds")}
    if not waiting and not ages:
        return None
    return {
        "topics": [
            {"topic": topic, "kafka_lag_records": _number(waiting, topic), "commit_age_s": _number(ages, topic)}
            for topic in sorted({*waiting, *ages})
        ],
        "learner_wait_share": dict(view.wait_share) if view.wait_share is not None else None,
    }


def learner(question: Question, view: FleetView) -> Json | None:
    """What the learner says of itself, and the newest version's record; None where there is neither."""
    candidates = list(question.found.ledger.candidates.values())
    newest = candidates[-1] if candidates else None
    num_steps = view.total("touchline_learner_steps_total")
    if num_steps is None and newest is None:
        return None
    return {
        "num_steps": num_steps,
        "steps_per_s": view.steps_per_s,
        "loss": _by_label(view, "touchline_learner_loss", "part"),
        "wait_s": _by_label(view, "touchline_learner_wait_seconds_total", "on"),
        "num_candidates": view.total("touchline_learner_candidates_total"),
        "positive_ratio": [
            {"task": s.labels["task"], "source": s.labels["source"], "value": plain(s.value)}
            for s in view.values("touchline_learner_advantage_positive_ratio")
        ],
        "calibration_error": [
            {"task": s.labels["task"], "value": plain(s.value)}
            for s in view.values("touchline_learner_value_calibration_error")
        ],
        "newest": {"version": newest.version, "metrics": dict(newest.metrics)} if newest else None,
    }


def _by_label(view: FleetView, name: str, label: str) -> dict[str, float | None]:
    return {sample.labels[label]: plain(sample.value) for sample in view.values(name)}


def _number(found: dict[str, float], name: str) -> float | None:
    return plain(found[name]) if name in found else None

"""One episode as lists show it."""

from typing import Any

from console.history.columns import Names
from console.history.people import effective_label
from console.history.question import Json, plain, plain_list
from console.history.snapshot import Snapshot

_NUM_POINTS = 32


def summary(found: Snapshot, row: int) -> Json:
    """The episode in a row of the table, with what people said and a small drawing of its value."""
    episodes, judged = found.episodes, found.judged
    episode_id = str(episodes.episode_id[row])
    label = effective_label(found.labels.get(episode_id, ()))
    rate_hz, num_steps = float(episodes.control_rate_hz[row]), int(episodes.num_steps[row])
    modes, values = found.modes.get(episode_id), found.values.get(episode_id)
    return {
        "episode_id": episode_id,
        **_words(found, row),
        "instruction": episodes.instruction[row],
        "outcome_author": label["author"] if label else episodes.outcome_author[row],
        "outcome_reason": label["reason"] if label else episodes.outcome_reason[row],
        "progress": int(judged.progress[row]),
        "scene_seed": int(episodes.scene_seed[row]),
        "started_ns": int(episodes.started_ns[row]),
        "ended_ns": int(episodes.ended_ns[row]),
        "num_steps": num_steps,
        "duration_s": plain(num_steps / rate_hz) if rate_hz > 0 else None,
        "num_interventions": int(episodes.num_interventions[row]),
        "num_correction_steps": int(episodes.num_correction_steps[row]),
        "control_rate_hz": plain(rate_hz),
        "is_flagged": bool(judged.is_flagged[row]),
        "is_relabelled": bool(judged.is_relabelled[row]),
        "is_assisted": bool(episodes.num_interventions[row] or episodes.num_correction_steps[row]),
        "operators": list(found.operators_of.get(row, ())),
        "num_help_requests": int(judged.num_requests[row]),
        "bands": modes.bands() if modes else [],
        "values": plain_list(values.along(num_steps, min(_NUM_POINTS, max(num_steps, 1)))) if values else None,
        "critic_version": values.critic if values else "",
    }


def _words(found: Snapshot, row: int) -> Json:
    episodes = found.episodes

    def text(names: str, column: Any) -> str:
        known: Names = episodes.names[names]
        return known.texts[int(column[row])]

    return {
        "robot_id": text("robot", episodes.robot),
        "spec_id": text("spec", episodes.spec),
        "task_id": text("task", episodes.task),
        "policy_version": text("version", episodes.version),
        "release_role": text("role", episodes.role),
        "source": text("source", episodes.source),
        "outcome": text("outcome", found.judged.outcome),
        "first_outcome": text("outcome", episodes.first_outcome),
    }

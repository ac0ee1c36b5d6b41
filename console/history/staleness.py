"""Which weights each robot works with, as its own episodes say."""

import numpy as np

from console.history.columns import Array
from console.history.episode_table import ROLLOUT
from console.history.question import Json
from console.history.snapshot import Snapshot
from infra.releases import CANARY

_RELEASES = ("promote", "rollback")


def staleness(found: Snapshot, now_ns: int) -> list[Json]:
    """One row per robot that ever worked, by name."""
    episodes = found.episodes
    working = np.flatnonzero(episodes.source == ROLLOUT)
    robots = np.unique(episodes.robot[working]).tolist()
    rows = [_row(found, working[episodes.robot[working] == robot], now_ns) for robot in robots]
    return sorted(rows, key=lambda row: str(row["robot_id"]))


def _row(found: Snapshot, own: Array, now_ns: int) -> Json:
    episodes = found.episodes
    own = own[np.argsort(episodes.started_ns[own], kind="stable")]
    last = int(own[-1])
    others = np.flatnonzero(episodes.version[own] != episodes.version[last])
    first = int(own[others[-1] + 1]) if len(others) else int(own[0])
    version = episodes.names["version"].texts[episodes.version[last]]
    swapped_ns = int(episodes.started_ns[first])
    return {
        "robot_id": episodes.names["robot"].texts[episodes.robot[last]],
        "task_id": episodes.names["task"].texts[episodes.task[last]],
        "version": version,
        "role": episodes.names["role"].texts[episodes.role[last]],
        "age_s": max(now_ns - swapped_ns, 0) / 1e9,
        "versions_behind": _behind(found, version),
        "last_swap_ns": swapped_ns,
        "last_seen_ns": int(episodes.ended_ns[own].max()),
        # Robots say why they refused weights in their log and metrics, not in the lake.
    }


def _behind(found: Snapshot, version: str) -> int | None:
    """Releases since the one of this version; None where it never was released."""
    released = [row["policy_version"] for row in found.ledger.releases if row["event"] in _RELEASES]
    if version in released:
        return released[::-1].index(version)
    return 0 if found.ledger.role.get(version) == CANARY else None

"""Which robots are set differently from most of their kind, and in what.

Robots of one kind have the same embodiment. Most of them means more than half: two against two differ
from each other, and neither is odd.
"""

import collections
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from corrections.protocol import RobotInfo

Settings = Mapping[str, Mapping[str, Any]]
"""Section to field to value."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Standing:
    """How one robot's settings compare with those of its kind."""

    config_hash: str
    """Empty where the robot does not say."""
    is_odd: bool
    """Whether most others agree on other settings."""
    words: str
    like: str
    """A robot that is set as most are; empty where most do not agree."""


def standing_of(robot_id: str, robots: Mapping[str, RobotInfo]) -> Standing:
    """One connected robot among all."""
    own = robots[robot_id]
    kind = [info for info in robots.values() if info.spec == own.spec and info.config_hash]
    if not own.config_hash:
        return Standing(config_hash="", is_odd=False, words="not reported", like="")
    most, num_most = collections.Counter(info.config_hash for info in kind).most_common(1)[0]
    if 2 * num_most <= len(kind):
        num_sets = len({info.config_hash for info in kind})
        words = f"{num_sets} different settings among {len(kind)} of its kind"
        return Standing(config_hash=own.config_hash, is_odd=False, words=words, like="")
    is_odd = own.config_hash != most
    like = next(info.robot_id for info in kind if info.config_hash == most)
    words = "the only one of its kind" if len(kind) == 1 else f"as {num_most} of {len(kind)} of its kind"
    if is_odd:
        words = f"differs from {num_most} of {len(kind)} of its kind"
    return Standing(config_hash=own.config_hash, is_odd=is_odd, words=words, like=like)


def differences(settings: Settings, others: Settings) -> list[dict[str, Any]]:
    """Each setting that is not the same in both, by section and field; None where one has no such setting."""
    found = []
    for section in sorted(settings.keys() | others.keys()):
        own, other = settings.get(section, {}), others.get(section, {})
        found += [
            {"section": section, "field": field, "value": own.get(field), "other": other.get(field)}
            for field in sorted(own.keys() | other.keys())
            if own.get(field) != other.get(field)
        ]
    return found


def parsed(text: str) -> Settings | None:
    """Settings as a robot says them; None where it says none, or a stranger says nonsense."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return None
    is_right = isinstance(found, dict) and all(isinstance(fields, dict) for fields in found.values())
    return found if is_right else None

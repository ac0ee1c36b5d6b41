"""What every page must know besides its person: how devices feel, and the limits that robots hold."""

import dataclasses
import importlib.metadata
from collections.abc import Mapping

from corrections.intervention import SafetyConfig
from corrections.mapping import MappingConfig
from corrections.operator_client import OperatorConfig


def facts(operator: OperatorConfig, mapping: MappingConfig, safety: SafetyConfig) -> Mapping[str, object]:
    """The part of `GET /api/session` that stays the same while the server runs."""
    try:
        version = importlib.metadata.version("touchline")
    except importlib.metadata.PackageNotFoundError:
        version = "source"
    return {
        "version": version,
        "mapping": dataclasses.asdict(mapping),
        "limits": {
            "command_rate_hz": operator.command_rate_hz,
            "renew_s": operator.renew_period_s,
            "hold_after_ms": safety.hold_after_ms,
            "lost_after_ms": safety.lost_after_ms,
            "max_command_age_ms": safety.max_command_age_ms,
        },
    }

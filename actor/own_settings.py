"""The settings that this process resolved, so that people see which robot is set differently, and since when.

A short hash goes with every robot; the settings themselves are told when somebody asks. Secrets, and those in
addresses, are left out: a hash of them would help whoever guesses.
"""

import argparse
import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra import config, whole_file
from infra.sections import section_class

SETTINGS_FILE = "settings.json"
"""In the spool's folder: of this start and of the one before."""
_SECTIONS = (
    *("actor", "chunks", "acting", "weights", "recorder", "link", "safety", "limits", "stuck", "help"),
    *("canary", "kafka", "mlflow", "service"),
)
_OWN = (("actor", "name"), ("actor", "robots"), ("service", "metrics_port"))
"""Of the process, not of what its robots do: left out."""
_HASH_CHARS = 8
_CREDENTIALS = re.compile(r"//[^/@\s]+@")
"""In http://user:password@host."""

Settings = Mapping[str, Mapping[str, Any]]
"""Section to field to value, as JSON has it."""


def resolved(args: argparse.Namespace) -> Settings:
    """What a robot at work is set to.

    Raises:
        ConfigError: a setting is wrong.
    """
    found = {}
    for section in _SECTIONS:
        value: Any = config.from_args(section, section_class(section), args)
        found[section] = {
            field.name: _shown(field, getattr(value, field.name))
            for field in dataclasses.fields(value)
            if (section, field.name) not in _OWN
        }
    return found


def hash_of(settings: Settings) -> str:
    """Eight hex digits that change with any setting."""
    text = json.dumps(settings, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_CHARS]


def keep(file: Path, settings: Settings) -> Settings:
    """Remember this start's settings; returns those of the start before, empty where there was none."""
    try:
        before = json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        before = {}
    whole_file.write_text(file, json.dumps(settings, indent=2) + "\n")
    return before if isinstance(before, dict) else {}


def _shown(field: "dataclasses.Field[Any]", value: object) -> Any:
    if not field.repr:
        return "(set)" if value else "(not set)"
    if isinstance(value, str):
        return _CREDENTIALS.sub("//(secret)@", value)
    return json.loads(json.dumps(value, default=str))

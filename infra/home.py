"""The home directory: everything one fleet keeps on this machine, and where.

    <home>/kafka mlflow lake spool weights replay learner logs    one folder per owner
    <home>/fleet.json                                             who runs, where to reach it

`fleet.json` is written by the supervisor (`infra/local.py`) and read by every command, so that a
second terminal needs no addresses.
"""

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra import whole_file
from policy.errors import ConfigError

HOME_VARIABLE = "TOUCHLINE_HOME"
DEFAULT_HOME = Path("runs/touchline")


class Home:
    """The sub-paths of one home directory; each folder is made when it is first asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def kafka(self) -> Path:
        """The embedded broker's log."""
        return self._folder("kafka")

    @property
    def mlflow(self) -> Path:
        """The embedded registry: sqlite file and artifacts."""
        return self._folder("mlflow")

    @property
    def lake(self) -> Path:
        """The Delta tables, unless a lake URL is configured."""
        return self._folder("lake")

    @property
    def spool(self) -> Path:
        """Records that wait for the broker, per actor process."""
        return self._folder("spool")

    @property
    def weights(self) -> Path:
        """Checkpoints fetched from the registry, the last good one of each actor included."""
        return self._folder("weights")

    @property
    def replay(self) -> Path:
        """The learner's memory-mapped ring."""
        return self._folder("replay")

    @property
    def rings(self) -> Path:
        """The rings of its RLlib learners on this node."""
        return self._folder("rings")

    @property
    def learner(self) -> Path:
        """Train states and checkpoints in the making."""
        return self._folder("learner")

    @property
    def logs(self) -> Path:
        """One JSON-lines file per service."""
        return self._folder("logs")

    @property
    def fleet_file(self) -> Path:
        """Who runs on this machine: process ids, addresses, settings."""
        return self.path / "fleet.json"

    @property
    def lock_file(self) -> Path:
        """Held by its supervisor, and by its keeper until the last process has ended."""
        return self.path / "fleet.lock"

    @property
    def gateway_token(self) -> Path:
        """The secret of a local fleet's gateway: its supervisor makes it, other terminals read it (mode 600)."""
        return self.path / "gateway.token"

    def fleet(self) -> Mapping[str, Any]:
        """The content of `fleet.json`; empty where no fleet was started here.

        Raises:
            ConfigError: the file is not JSON.
        """
        try:
            content = json.loads(self.fleet_file.read_text())
        except FileNotFoundError:
            return {}
        except json.JSONDecodeError as error:
            raise ConfigError("fleet.json is damaged; delete it", path=str(self.fleet_file)) from error
        return content if isinstance(content, dict) else {}

    def write_fleet(self, content: Mapping[str, Any]) -> None:
        """Replace `fleet.json` in one rename, so that no reader sees half of it."""
        self.path.mkdir(parents=True, exist_ok=True)
        whole_file.write_text(self.fleet_file, json.dumps(content, indent=2) + "\n")

    def _folder(self, name: str) -> Path:
        folder = self.path / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def from_args(args: argparse.Namespace) -> Home:
    """The home that --home names, else TOUCHLINE_HOME, else runs/touchline."""
    named = getattr(args, "home", None) or os.environ.get(HOME_VARIABLE)
    return Home(Path(named) if named else DEFAULT_HOME)

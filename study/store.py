"""Where a study keeps what it found: one line per finished cell, and the heavy files it may throw away.

<folder>/cells.jsonl      id, kind, settings, parents, commit, finding     (committed with the results)
<folder>/artefacts/ID/    weights and episodes of a cell                   (removed when nobody needs them)
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from policy.errors import ConfigError
from study import work
from study.cell import Cell, Finding, Kind

_CELLS, _ARTEFACTS = "cells.jsonl", "artefacts"


class Store:
    """The findings of one study."""

    def __init__(self, folder: Path) -> None:
        """Reads what is there.

        Raises:
            ConfigError: a line is broken in the middle of the file.
        """
        self.folder = folder
        self.artefacts = folder / _ARTEFACTS
        self.artefacts.mkdir(parents=True, exist_ok=True)
        self._cells = folder / _CELLS
        self._findings: dict[str, Finding] = {}
        self._read()

    def finding(self, cell: Cell) -> Finding | None:
        """What it found; None while nobody has computed it."""
        return self._findings.get(cell.id)

    def has_artefacts(self, cell: Cell) -> bool:
        """Whether cells that build on it can start."""
        name = {Kind.COLLECT: work.EPISODES, Kind.FLEET: work.FINDING}.get(cell.kind, work.GUIDANCE)
        return (self.artefacts / cell.id / work.FINDING).exists() and (self.artefacts / cell.id / name).exists()

    def keep(self, cell: Cell) -> Finding:
        """Take a finished cell's finding from its folder into the file, once."""
        finding: Finding = json.loads((self.artefacts / cell.id / work.FINDING).read_text())
        if cell.id not in self._findings:
            line = {
                "id": cell.id,
                "kind": cell.kind,
                "settings": dict(cell.settings),
                "parents": [parent.id for parent in cell.parents],
                "commit": _commit(),
                "finding": finding,
            }
            with self._cells.open("a") as file:
                file.write(json.dumps(line, sort_keys=True) + "\n")
            self._findings[cell.id] = finding
        return finding

    def drop(self, cell: Cell) -> None:
        """Remove its heavy files."""
        shutil.rmtree(self.artefacts / cell.id, ignore_errors=True)

    def _read(self) -> None:
        text = self._cells.read_text() if self._cells.exists() else ""
        lines = text.split("\n")
        for number, line in enumerate(lines[:-1], start=1):
            try:
                fields: dict[str, Any] = json.loads(line)
                self._findings[fields["id"]] = fields["finding"]
            except (ValueError, KeyError, TypeError) as error:
                raise ConfigError(f"{self._cells}: line {number} is not a cell: {error}") from error
        if lines[-1]:
            # A kill in the middle of a line: the cell's own folder still has it.
            self._cells.write_text(text[: len(text) - len(lines[-1])])


def _commit() -> str:
    """Of the working copy, with a mark where it is changed; empty outside of one."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return described.stdout.strip()

"""Where a study keeps what it found: one line per finished cell, and the heavy files it may throw away.

<folder>/cells.jsonl      id, kind, settings, parents, commit, finding     (committed with the results)
<folder>/artefacts/ID/    weights and episodes of a cell                   (removed when nobody needs them)
"""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra import whole_file
from policy.errors import ConfigError
from study import work
from study.cell import Cell, Finding, Kind

_CELLS, _ARTEFACTS = "cells.jsonl", "artefacts"
_FIELDS = {"id", "kind", "settings", "finding"}

Line = dict[str, Any]
"""id, kind, settings, parents, commit, finding."""


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
        self._lines: dict[str, Line] = {}
        self._read()

    @property
    def lines(self) -> Sequence[Line]:
        """Everything found so far, a line a cell."""
        return list(self._lines.values())

    def finding(self, cell: Cell) -> Finding | None:
        """What it found; None while nobody has computed it."""
        line = self._lines.get(cell.id)
        return line["finding"] if line else None

    def line(self, cell: Cell) -> Line | None:
        """What is written of it; None while nobody has computed it."""
        return self._lines.get(cell.id)

    def has_artefacts(self, cell: Cell) -> bool:
        """Whether cells that build on it can start: not on files that a stop left before they were written down."""
        leaves = dict.fromkeys((Kind.FLEET, Kind.CRITIC, Kind.DRIFT), work.FINDING)
        name = {Kind.COLLECT: work.EPISODES, **leaves}.get(cell.kind, work.GUIDANCE)
        files = [self.artefacts / cell.id / file for file in (work.FINDING, name)]
        return cell.id in self._lines and all(file.exists() for file in files)

    def keep(self, cell: Cell) -> Finding:
        """Take a finished cell's finding from its folder into the file, once."""
        finding: Finding = json.loads((self.artefacts / cell.id / work.FINDING).read_text())
        if cell.id not in self._lines:
            line: Line = {
                "id": cell.id,
                "kind": cell.kind,
                "settings": dict(cell.settings),
                "parents": [parent.id for parent in cell.parents],
                "commit": _commit(),
                "finding": finding,
            }
            self._append(line)
        return finding

    def borrow(self, cells: Sequence[Cell]) -> None:
        """Take over what studies beside this one found of some cells: findings, and files as long as they are there."""
        for path in sorted(self.folder.parent.glob(f"*/{_CELLS}")):
            if path == self._cells:
                continue
            theirs = parse(_whole_lines(path.read_text()), path)
            for cell in cells:
                if cell.id in theirs and cell.id not in self._lines:
                    self._append(theirs[cell.id])
                if cell.id in theirs and not self.has_artefacts(cell):
                    self._link(path.parent / _ARTEFACTS / cell.id)

    def _link(self, files: Path) -> None:
        """Hard links: the other study may drop its own, and nothing is copied."""
        if not (files / work.FINDING).exists():
            return
        draft = self.artefacts / f"{files.name}.borrowed"
        shutil.rmtree(draft, ignore_errors=True)
        with contextlib.suppress(OSError):  # dropped meanwhile: then it is computed here
            shutil.copytree(files, draft, copy_function=os.link)
            shutil.rmtree(self.artefacts / files.name, ignore_errors=True)
            draft.rename(self.artefacts / files.name)

    def _append(self, line: Line) -> None:
        with self._cells.open("a") as file:
            file.write(json.dumps(line, sort_keys=True) + "\n")
        self._lines[line["id"]] = line

    def drop(self, cell: Cell) -> None:
        """Remove its heavy files."""
        shutil.rmtree(self.artefacts / cell.id, ignore_errors=True)

    def _read(self) -> None:
        text = whole_file.read_text(self._cells)
        whole = _whole_lines(text)
        if whole != text:
            # A kill in the middle of a line: the cell's own folder still has it.
            self._cells.write_text(whole)
        self._lines = parse(whole, self._cells)


def _whole_lines(text: str) -> str:
    """Without what follows the last line break: a line that is being written, or was cut."""
    whole, newline, _ = text.rpartition("\n")
    return whole + newline


def parse(text: str, path: Path) -> dict[str, Line]:
    """The lines of a file of cells, by id; `path` is for people.

    Raises:
        ConfigError: a line is none.
    """
    found: dict[str, Line] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            fields: Line = json.loads(line)
            if not fields.keys() >= _FIELDS:
                raise KeyError(*(_FIELDS - fields.keys()))
            found[fields["id"]] = fields
        except (ValueError, KeyError, AttributeError) as error:
            raise ConfigError(f"{path}: line {number} is not a cell: {error}") from error
    return found


def _commit() -> str:
    """Of the working copy, with a mark where it is changed; empty outside of one."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return described.stdout.strip()

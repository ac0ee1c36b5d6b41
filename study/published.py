"""Published cells: `docs/results/cells.jsonl`, which is committed, and from which `docs/results.md` is made.

One line a cell, in the order of their ids: the same cells give the same bytes, whoever added them in what order.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from infra import whole_file
from study.store import Line, parse

CELLS = Path("docs/results/cells.jsonl")


def read(path: Path = CELLS) -> dict[str, Line]:
    """By id; empty where nothing was published.

    Raises:
        ConfigError: a line is no cell.
    """
    return parse(whole_file.read_text(path), path)


def add(lines: Iterable[Line], path: Path = CELLS) -> int:
    """Add finished cells; one that is there already is replaced. Returns how many were new.

    Raises:
        ConfigError: a line that is there is no cell.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    before = read(path)
    after = {**before, **{line["id"]: line for line in lines}}
    text = "".join(json.dumps(after[cell_id], sort_keys=True) + "\n" for cell_id in sorted(after))
    whole_file.write_text(path, text)
    return len(after) - len(before)

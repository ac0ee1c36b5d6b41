"""Figures of the lake: rows, files and bytes per table, and what a day of one robot weighs."""

import dataclasses

import pyarrow as pa
import pyarrow.compute as pc

from infra.topics import EPISODES, Topic
from storage.tables import Lake

_DAY_S = 86_400.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class TableSummary:
    """One table in one line."""

    name: str
    version: int
    num_rows: int
    num_files: int
    num_bytes: int


def summary(lake: Lake, topic: Topic) -> TableSummary:
    """Count a table's rows from its log, without reading them.

    Raises:
        LakeError: the table cannot be opened.
    """
    table = lake.open(topic)
    files = pa.table(table.get_add_actions(flatten=True))
    return TableSummary(
        name=topic.name,
        version=table.version(),
        num_rows=sum(count or 0 for count in files.column("num_records").to_pylist()),
        num_files=files.num_rows,
        num_bytes=sum(size or 0 for size in files.column("size_bytes").to_pylist()),
    )


def robot_days(lake: Lake) -> float:
    """Days of robot time (steps / control rate) in all ended episodes.

    Raises:
        LakeError: the table cannot be read.
    """
    rows = lake.read(EPISODES, ["num_steps", "control_rate_hz"])
    seconds = pc.sum(pc.divide(pc.cast(rows.column("num_steps"), pa.float64()), rows.column("control_rate_hz"))).as_py()
    return (seconds or 0.0) / _DAY_S

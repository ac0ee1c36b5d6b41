"""A table of another release: what may be missing, what must not be there, and how columns are added.

Only columns with a default come with a release (`infra/columns.py`), so an older table is readable as it is. A
newer one is not: our rows would lack what its own release relies on.
"""

from collections.abc import Sequence

import pyarrow as pa
from deltalake import DeltaTable, Schema

from infra.columns import Defaults
from policy.errors import SchemaError


def refuse_strange(table: DeltaTable, expected: pa.Schema, filling: Defaults) -> None:
    """Check a table's columns against those of this release.

    Raises:
        SchemaError: it has others, or lacks some that have no default.
    """
    found = {field.name: field.type for field in table.schema().fields}
    wanted = {field.name: field.type for field in Schema.from_arrow(expected).fields}
    if unknown := sorted(set(found) - set(wanted)):
        raise SchemaError(
            "a newer release wrote this table; update this one, or use another lake.url",
            table=table.table_uri,
            unknown=unknown,
        )
    missing = sorted(set(wanted) - set(found) - set(filling))
    changed = sorted(name for name in found if found[name] != wanted[name])
    if missing or changed:
        raise SchemaError(
            "the table has other columns; use another lake.url", table=table.table_uri, missing=missing, changed=changed
        )


def add_missing(table: DeltaTable, expected: pa.Schema) -> None:
    """Add the columns that a table lacks, in a commit of their own; rows that are there have nulls in them."""
    known = set(present(table, expected.names))
    # Nullable, because Delta can only add such columns; readers fill the nulls.
    missing = pa.schema([field.with_nullable(True) for field in expected if field.name not in known])
    if missing.names:
        table.alter.add_columns(list(Schema.from_arrow(missing).fields))


def present(table: DeltaTable, names: Sequence[str]) -> list[str]:
    """Those of some columns that the table has."""
    found = {field.name for field in table.schema().fields}
    return [name for name in names if name in found]

"""Refuses steps whose arrays do not fit the body they name, before they reach the table."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from policy.errors import SchemaError
from policy.spec import EmbodimentSpec

_LOG = logging.getLogger(__name__)
_FLOAT32_BYTES = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Sizes:
    """What a step of one embodiment brings: counts of numbers, and of frames."""

    executed_action: int
    proposed_action: int
    state: int
    tactile: int
    frames: int


class EmbodimentGuard:
    """Knows the specs in a folder, and reads it again when it meets a stranger.

    Steps of a spec that is not there are only asked to agree with each other inside one message:
    a robot is never refused because nobody filed its spec.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._sizes: dict[str, _Sizes] = {}
        self._strangers: set[str] = set()

    def check(self, steps: pa.RecordBatch) -> None:
        """Check every step of a message.

        Raises:
            SchemaError: an array of another length, or another number of frames.
        """
        spec_ids: Any = steps.column("spec_id")
        lengths = _lengths(steps)
        found_ids = pc.unique(spec_ids).to_pylist()
        for spec_id in found_ids:
            here = slice(None) if len(found_ids) == 1 else np.asarray(pc.equal(spec_ids, spec_id))
            expected = self._sizes_of(spec_id)
            for name, found in lengths.items():
                want = getattr(expected, name) if expected else found[here][0]
                if (found[here] != want).any():
                    raise SchemaError(
                        "an array that does not fit its embodiment",
                        spec_id=spec_id,
                        field=name,
                        expected=int(want),
                        found=sorted({int(number) for number in found[here]}),
                    )

    def _sizes_of(self, spec_id: str) -> _Sizes | None:
        if spec_id not in self._sizes and spec_id not in self._strangers:
            self._read_directory()
            if spec_id not in self._sizes:
                self._strangers.add(spec_id)
        return self._sizes.get(spec_id)

    def _read_directory(self) -> None:
        if self._directory is None or not self._directory.is_dir():
            return
        for file in self._directory.glob("*.json"):
            try:
                spec = EmbodimentSpec.from_json(file.read_text())
            except (SchemaError, OSError, UnicodeDecodeError) as error:
                _LOG.warning("not a spec file", extra={"path": str(file), "reason": str(error)})
                continue
            self._sizes[spec.spec_id] = _Sizes(
                executed_action=len(spec.action),
                proposed_action=len(spec.action),
                state=len(spec.state),
                tactile=len(spec.tactile),
                frames=len(spec.cameras),
            )


def _lengths(steps: pa.RecordBatch) -> dict[str, Any]:
    """int[n] per array field: numbers in it; for frames, how many there are."""
    lengths: dict[str, Any] = {}
    for field in dataclasses.fields(_Sizes):
        column: Any = steps.column(field.name)
        if field.name == "frames":
            lengths[field.name] = pc.list_value_length(column).to_numpy()
        else:
            lengths[field.name] = pc.binary_length(column).to_numpy() // _FLOAT32_BYTES
    return lengths

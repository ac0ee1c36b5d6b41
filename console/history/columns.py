"""Columns that grow at the end while others read what was there.

Rows that were handed out are never written again, so a reader needs no lock: it holds views of a
prefix, and growth either fills what lies behind the prefix or moves to a new buffer.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
Array = NDArray[Any]

_FIRST_CAPACITY = 256


class Names:
    """Texts and their codes: small numbers in order of appearance, which stay."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self.texts: list[str] = []
        """The text of each code."""
        self._codes: dict[str, int] = {}
        for text in known:
            self.code(text)

    def code(self, text: str) -> int:
        """The code of a text, which is entered where it is new."""
        code = self._codes.setdefault(text, len(self.texts))
        if code == len(self.texts):
            self.texts.append(text)
        return code

    def find(self, text: str) -> int:
        """The code of a text; -1 where it was never seen."""
        return self._codes.get(text, -1)

    def codes(self, column: Any) -> Int32:
        """Codes of an Arrow column of texts."""
        encoded = column.dictionary_encode()
        own = np.array([self.code(text) for text in encoded.dictionary.to_pylist()], np.int32)
        indices: Array = encoded.indices.to_numpy(zero_copy_only=False)
        return own[indices] if len(own) else np.empty(0, np.int32)


class GrowingColumns:
    """Columns of one length; one thread appends."""

    def __init__(self, dtypes: Mapping[str, Any]) -> None:
        self._buffers: dict[str, Array] = {name: np.empty(_FIRST_CAPACITY, dtype) for name, dtype in dtypes.items()}
        self.num_rows = 0
        """Rows so far."""

    def append(self, columns: Mapping[str, Array]) -> None:
        """Add rows; `columns` has an array for every name."""
        num_new = len(next(iter(columns.values())))
        end = self.num_rows + num_new
        for name, buffer in self._buffers.items():
            if end > len(buffer):
                grown = np.empty(max(end, 2 * len(buffer)), buffer.dtype)
                grown[: self.num_rows] = buffer[: self.num_rows]
                buffer = self._buffers[name] = grown
            buffer[self.num_rows : end] = columns[name]
        self.num_rows = end

    def frozen(self) -> dict[str, Array]:
        """Read-only views of the rows so far."""
        views = {}
        for name, buffer in self._buffers.items():
            views[name] = buffer[: self.num_rows]
            views[name].flags.writeable = False
        return views


def texts_of(column: Any) -> Array:
    """An Arrow column of texts as object[n]."""
    array = np.empty(len(column), object)
    array[:] = column.to_pylist()
    return array

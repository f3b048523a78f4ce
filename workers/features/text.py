"""One column of text as rows of UTF-8 bytes, cut or padded with 0 to one length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.errors import DataError
from workers.features.columns import Keys, column, is_text, texts_of
from workers.features.inputs import InputSpec
from workers.features.nulls import Description, Met, meet_nulls

DEFAULT_MAX_CHARS = 128
_SPACE = 32


class TextBytes(Description, frozen=True, kw_only=True, tag="text", omit_defaults=True):
    """Where the text stands, and how many of its bytes are read."""

    column: str
    max_chars: int


class TextEncoder:
    """The bytes themselves; making sense of them is the model's."""

    dtype = np.dtype(np.uint8)

    def __init__(self, description: TextBytes) -> None:
        self.description = description
        self.columns = (description.column,)
        self.inputs = InputSpec(kind="text", shape=(description.max_chars,))

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Nothing is fitted."""
        return {}

    @classmethod
    def restore(cls, description: TextBytes, tensors: Mapping[str, npt.NDArray[Any]]) -> TextEncoder:
        """The encoder whose `description` this is."""
        return cls(description)

    def encode(self, table: pa.Table, keys: Keys, met: Met | None = None) -> npt.NDArray[np.uint8]:
        """Rows of uint8 (rows, max_chars); a null is an empty text. Raises DataError for what is no text, by key."""
        name, width = self.description.column, self.description.max_chars
        values = texts_of(column(table, name))
        if not is_text(values.type):
            raise DataError(f"Column {name!r} is of type {values.type}; `text:` in config.yaml needs a column of text.")
        meet_nulls(values, name, keys, self.description, met)
        rows = np.zeros((len(values), width), dtype=np.uint8)
        starts, ends, data = _utf8(values.cast(pa.large_string()).fill_null(""))
        inside = np.arange(width) < (ends - starts)[:, None]
        rows[inside] = data[(starts[:, None] + np.arange(width))[inside]]
        rows[inside & (rows == 0)] = _SPACE  # a NUL inside a text would read as its end
        return rows


def _utf8(values: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Where each text starts and ends in the bytes of all of them."""
    _, offsets_buffer, data = values.buffers()
    if len(values) == 0 or data is None:
        nothing = np.zeros(len(values), dtype=np.int64)
        return nothing, nothing, np.zeros(0, dtype=np.uint8)
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[values.offset : values.offset + len(values) + 1]
    return offsets[:-1], offsets[1:], np.frombuffer(data, dtype=np.uint8)

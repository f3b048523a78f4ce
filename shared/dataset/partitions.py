"""Columns that stand in the names of folders, as Hive and Spark lay out tables: `day=2023-11-14/part-0.parquet`."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pyarrow as pa

from shared.dataset.listing import parts_below

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_WHOLE = re.compile(r"-?\d{1,18}")


def in_folder_names(file: str, uri: str) -> dict[str, pa.Scalar]:
    """Column → value, the same in all rows of a file: whole numbers and texts. Folders below the `uri` count."""
    found = (part.partition("=") for part in parts_below(file, uri))
    return {unquote(name): _value(unquote(text)) for name, mark, text in found if name and mark}


def _value(text: str) -> pa.Scalar:
    if text == _NO_VALUE:
        return pa.scalar(None, pa.null())
    return pa.scalar(int(text), pa.int64()) if _WHOLE.fullmatch(text) else pa.scalar(text, pa.string())

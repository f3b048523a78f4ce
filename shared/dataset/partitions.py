"""Columns that stand in the names of folders, as Hive and Spark lay out tables: `day=2023-11-14/part-0.parquet`.

Of which type one is say the values of the files that were found with the first: later ones never change it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import unquote

import pyarrow as pa

from shared.dataset.listing import parts_below

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_WHOLE = re.compile(r"-?\d{1,18}")


def in_folder_names(file: str, uri: str) -> dict[str, str | None]:
    """Column → text, the same in all rows of a file; None for no value. Folders below the `uri` count."""
    found = (part.partition("=") for part in parts_below(file, uri))
    return {unquote(name): _text(unquote(text)) for name, mark, text in found if name and mark}


def type_of_folders(texts: Collection[str | None]) -> pa.DataType:
    """Whole numbers, where all values are such and no two of them are one number (01 and 1); else texts."""
    said = {text for text in texts if text is not None}
    if not said or not all(_WHOLE.fullmatch(text) for text in said):
        return pa.string()
    return pa.int64() if len({int(text) for text in said}) == len(said) else pa.string()


def fits_folders(text: str | None, first: str | None) -> bool:
    """Whether a later value can stand among whole numbers, as `first` is one: zeros in front are right to its width."""
    if text is None:
        return True
    if not _WHOLE.fullmatch(text):
        return False
    width = len(first or "")
    if (first or "").startswith("0") and width > 1 and len(text) < width:
        return False
    return str(int(text)) == text or len(text) == width


def folder_value(text: str | None, arrow_type: pa.DataType) -> pa.Scalar:
    """A value in a column of this type; of any other than texts as the value is."""
    if text is None:
        return pa.scalar(None, pa.null())
    is_text = pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type)
    own = pa.string() if is_text else type_of_folders([text])
    return pa.scalar(int(text) if pa.types.is_integer(own) else text, own)


def _text(text: str) -> str | None:
    return None if text == _NO_VALUE else text

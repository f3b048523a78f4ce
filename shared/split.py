"""Which rows are train, validation and test, for ever, from the key alone."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

SplitName = Literal["train", "validation", "test"]

_WORDS_OF_A_DIGEST = 4
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def splitmix64(seeds: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The first output of splitmix64 for each seed (Steele, Lea and Flood, OOPSLA 2014). Shape (n,) → (n,)."""
    with np.errstate(over="ignore"):
        z = seeds + _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
        return z ^ (z >> np.uint64(31))


def seeds_of_groups(values: Iterable[object]) -> npt.NDArray[np.uint64]:
    """Seeds for a split by column: the first 8 bytes, big endian, of SHA-256 of each value's UTF-8 text.

    Equal numbers have one text, whatever types the files of a dataset write them in: 1, 1.0 and true are `1`. So a
    group stays together, and where it is, when a later file has a wider type.
    """
    digests = b"".join([hashlib.sha256(_text(value).encode()).digest() for value in values])
    return np.frombuffer(digests, dtype=">u8")[::_WORDS_OF_A_DIGEST].astype(np.uint64)


def seeds_of_column(values: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """`seeds_of_groups` of a column, (rows,): each group is hashed once, however many rows it has."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    encoded = pc.dictionary_encode(values.combine_chunks(), null_encoding="encode")
    codes: npt.NDArray[np.int32] = encoded.indices.to_numpy()
    return seeds_of_groups(encoded.dictionary.to_pylist())[codes]


def _text(value: object) -> str:
    if type(value) is str or type(value) is int:  # quickly, as nearly all are
        return str(value)
    if isinstance(value, Decimal):
        value = int(value) if value == int(value) else float(value)
    if isinstance(value, bool | float):
        if math.isnan(value):  # NaN is a null
            return str(None)
        return str(int(value)) if float(value).is_integer() else str(value)
    return str(value)


def rows_in_split(
    seeds: npt.NDArray[np.uint64], split: SplitName, *, test: float, validation: float
) -> npt.NDArray[np.bool_]:
    """Mask of the rows in `split`, for the shares of `data.split`. Seeds are keys or `seeds_of_groups`."""
    u = (splitmix64(seeds) >> np.uint64(11)).astype(np.float64) / 2.0**53
    if split == "test":
        return u < test
    if split == "validation":
        return (u >= test) & (u < test + validation)
    return u >= test + validation

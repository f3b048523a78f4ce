"""Key columns as 128 bits a row: equal keys have equal ones, whatever types two tables write them in.

A number is the same as a whole number, a fraction, a decimal or a boolean (1, 1.0 and true); a text as a string, a
dictionary or bytes; a moment as a date or a timestamp of any unit, in UTC. Numbers, texts and moments never equal each
other. One column of whole numbers or moments keeps its order, so that keys that ascend lie together.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.errors import DataError
from shared.labels.text_hash import Words, mixed, started, text_hashes

_SIGN = np.uint64(1 << 63)
_LARGE, _FRACTION, _MOMENT = 1, 2, 3  # what `check` is beside a number or moment; 0: a whole number of 64 bits
_MOMENTS_APART = np.uint64(8)
_EXACT_DIGITS = 15  # of which each float is the nearest of one decimal only
_ALL_DIGITS = Context(prec=76, Emin=-999, Emax=999)
_US = {"s": 1_000_000, "ms": 1_000, "us": 1}


_Number = TypeVar("_Number", bound=np.generic)


class Keys(NamedTuple):
    """Keys in the order of `order`, each of row or label row `ids`; all (n,). Nulls are not among them."""

    order: Words
    check: Words | None  # None: 0 for all
    ids: npt.NDArray[np.int64]

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.ids)

    def at(self, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice) -> Keys:
        """Some of them."""
        return Keys(self.order[index], None if self.check is None else self.check[index], self.ids[index])


class _Column(NamedTuple):
    order: Words
    check: Words | None
    there: npt.NDArray[np.bool_] | None  # None: all


def keys_of(columns: pa.Table, first_id: int) -> Keys:
    """The keys of rows first_id, first_id + 1, …; those with a null (or NaN) in any column are left out.

    Raises DataError for a column that holds neither numbers nor texts nor moments.
    """
    found = [_column(columns.column(number), name) for number, name in enumerate(columns.column_names)]
    one = found[0] if len(found) == 1 else _together(found, columns.num_rows)
    keys = Keys(one.order, one.check, np.arange(first_id, first_id + columns.num_rows))
    if one.there is not None:
        keys = keys.at(one.there)
    return sorted_keys(keys)


def refuse_other_types(columns: pa.Schema) -> None:
    """Raise DataError for a column that holds neither numbers nor texts nor moments."""
    for field in columns:
        _array(pa.array([], field.type), field.name)


def sorted_keys(keys: Keys) -> Keys:
    """The same in order; at once if they are."""
    if keys.rows < 2 or bool((keys.order[1:] >= keys.order[:-1]).all()):
        return keys
    return keys.at(np.argsort(keys.order))


def _together(columns: list[_Column], rows: int) -> _Column:
    lanes = [started(0, rows), started(1, rows)]
    there = None
    for column in columns:
        for lane in (0, 1):
            lanes[lane] = mixed(lane, lanes[lane], column.order)
            lanes[lane] = mixed(lane, lanes[lane], np.uint64(0) if column.check is None else column.check)
        if column.there is not None:
            there = column.there if there is None else there & column.there
    return _Column(lanes[0], lanes[1], there)


def _column(values: pa.ChunkedArray, name: str) -> _Column:
    parts = [_array(chunk, name) for chunk in values.chunks if len(chunk)]
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return _Column(np.empty(0, np.uint64), None, None)
    check = there = None
    if any(part.check is not None for part in parts):
        check = np.concatenate([_or(part.check, part.order, np.uint64(0)) for part in parts])
    if any(part.there is not None for part in parts):
        there = np.concatenate([_or(part.there, part.order, np.True_) for part in parts])
    return _Column(np.concatenate([part.order for part in parts]), check, there)


def _or(values: npt.NDArray[np.generic] | None, like: Words, default: np.generic) -> npt.NDArray[np.generic]:
    return np.full(len(like), default) if values is None else values


def _array(values: pa.Array, name: str) -> _Column:
    if isinstance(values.type, pa.BaseExtensionType):
        values = values.storage
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _dictionary(values, name)
    if pa.types.is_null(kind):
        return _Column(np.zeros(len(values), np.uint64), None, np.zeros(len(values), np.bool_))
    there = None if not values.null_count else np.asarray(values.is_valid())
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return _Column(*_whole_numbers(values), there)
    if pa.types.is_floating(kind):
        return _floats(values, there)
    if pa.types.is_decimal(kind):
        return _Column(*_decimals(values), there)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _Column(*_moments(values), there)
    return _Column(*text_hashes(_texts(values, name)), there)


def _dictionary(values: pa.DictionaryArray, name: str) -> _Column:
    """Each value is hashed once."""
    distinct = _array(values.dictionary, name)
    there = None if not values.indices.null_count else np.asarray(values.indices.is_valid())
    codes = values.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    if not len(distinct.order):
        return _Column(np.zeros(len(values), np.uint64), None, np.zeros(len(values), np.bool_))
    if distinct.there is not None:
        there = distinct.there[codes] if there is None else there & distinct.there[codes]
    return _Column(distinct.order[codes], None if distinct.check is None else distinct.check[codes], there)


def _texts(values: pa.Array, name: str) -> pa.Array:
    kind = values.type
    if pa.types.is_string_view(kind):
        return values.cast(pa.large_string())
    if pa.types.is_binary_view(kind):
        return values.cast(pa.large_binary())
    if pa.types.is_fixed_size_binary(kind):
        return values.cast(pa.large_binary())
    if any(is_text(kind) for is_text in _TEXTS):
        return values
    raise DataError(
        f"the key column {name!r} is of type {kind}; keys are numbers, texts, dates or timestamps. Name other columns "
        "under `labels: key` of the dataset in config.yaml, or write this one in another type."
    )


_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)


def _flipped(values: npt.NDArray[np.int64]) -> Words:
    return values.view(np.uint64) ^ _SIGN


def _numpy(values: pa.Array, kind: type[_Number]) -> npt.NDArray[_Number]:
    filled = values.fill_null(0) if values.null_count else values
    return np.ascontiguousarray(filled.to_numpy(zero_copy_only=False)).astype(kind, copy=False)


def _whole_numbers(values: pa.Array) -> tuple[Words, Words | None]:
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int64())
    if not pa.types.is_uint64(values.type):
        return _flipped(_numpy(values, np.int64)), None
    numbers = _numpy(values, np.uint64)
    large = numbers >= _SIGN
    if not large.any():
        return numbers ^ _SIGN, None
    return np.where(large, numbers, numbers ^ _SIGN), np.where(large, np.uint64(_LARGE), np.uint64(0))


def _floats(values: pa.Array, there: npt.NDArray[np.bool_] | None) -> _Column:
    wide = values.cast(pa.float32()) if pa.types.is_float16(values.type) else values
    numbers = _numpy(wide, np.float64)
    some = np.isnan(numbers)
    if some.any():
        there = ~some if there is None else there & ~some
        numbers = np.where(some, 0.0, numbers)
    return _Column(*_of_floats(numbers), there)


def _of_floats(numbers: npt.NDArray[np.float64]) -> tuple[Words, Words | None]:
    whole = np.floor(numbers) == numbers
    small = whole & (numbers >= -(2.0**63)) & (numbers < 2.0**63)
    order = _flipped(np.where(small, numbers, 0.0).astype(np.int64))
    if small.all():
        return order, None
    large = whole & (numbers >= 2.0**63) & (numbers < 2.0**64)
    order = np.where(small, order, np.where(large, 0.0, numbers).view(np.uint64))
    order = np.where(large, np.where(large, numbers, 0.0).astype(np.uint64), order)
    check = np.where(small, 0, np.where(large, _LARGE, _FRACTION)).astype(np.uint64)
    return order, check


def _decimals(values: pa.Array) -> tuple[Words, Words | None]:
    """As the float that is nearest; those that share it with others have 128 bits of their own.

    Arrow's floats of decimals are not the nearest, and differ by scale.
    """
    if values.type.precision <= _EXACT_DIGITS and values.type.scale >= 0:
        return _of_floats(_unscaled(values) / 10.0**values.type.scale)
    order, check = np.zeros(len(values), np.uint64), np.zeros(len(values), np.uint64)
    near, texts = {}, {}
    for row in np.flatnonzero(np.asarray(values.is_valid())).tolist():
        number = values[row].as_py()
        if number == number.to_integral_value() and -(2**63) <= number < 2**64:
            order[row], check[row] = int(number) % 2**64 ^ (int(_SIGN) if number < 2**63 else 0), number >= 2**63
        elif Decimal(repr(float(number))) == number:
            near[row] = float(number)
        else:
            texts[row] = str(number.normalize(_ALL_DIGITS))
    for some, (orders, checks) in (
        (near, _of_floats(np.array(list(near.values()), np.float64))),
        (texts, text_hashes(pa.array(texts.values(), pa.string()))),
    ):
        order[list(some)], check[list(some)] = orders, 0 if checks is None else checks
    return order, check


def _unscaled(values: pa.Array) -> npt.NDArray[np.int64]:
    """The digits of decimals that have few, without their point; anything where there is none."""
    if values.type.bit_width < 128:
        values = values.cast(pa.decimal128(values.type.precision, values.type.scale))
    words = np.frombuffer(values.buffers()[1] or b"", np.int64).reshape(-1, values.type.bit_width // 64)
    return words[values.offset : values.offset + len(values), 0]


def _moments(values: pa.Array) -> tuple[Words, Words]:
    if pa.types.is_date32(values.type):
        us = _numpy(values.cast(pa.int32()), np.int64) * (86_400 * _US["s"])
    elif pa.types.is_date64(values.type):
        us = _numpy(values.cast(pa.int64()), np.int64) * _US["ms"]
    else:
        units = _numpy(values.cast(pa.int64()), np.int64)
        if values.type.unit == "ns":
            us, below = np.divmod(units, 1000)
            return _flipped(us), below.astype(np.uint64) * _MOMENTS_APART + np.uint64(_MOMENT)
        us = units * _US[values.type.unit]
    return _flipped(us), np.full(len(us), _MOMENT, np.uint64)

"""Features of two windows as numbers that can be compared: in the scale and the categories of the reference.

Unlike a model's encoder it hides nothing that is new. What the reference never varied in counts once it varies; a
category that the reference did not have is a feature of its own; so is a value that is missing, or no finite number.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.column_kinds import kind_of
from shared.dataset.nulls import known
from shared.errors import DataError
from workers.features.columns import column, is_number, is_text, texts_of

Rows = npt.NDArray[np.float64]  # (n, d)
# Its name, for people; (n,) of the reference, (m,) of the current window.
Feature = tuple[str, npt.NDArray[np.float64], npt.NDArray[np.float64]]

_MOST_CATEGORIES = 100  # of a column, the commonest of the reference; the others are one feature together
_LARGEST = 1e100  # deviations, or in the column's unit; so that sums of squares are still numbers


def as_numbers(reference: pa.Table, current: pa.Table) -> tuple[Rows, Rows, list[str]]:
    """Columns of both, which have the same names, as (n, d) and (m, d), and what the d features are called.

    A number, a truth or a date is standardised by the reference; a missing one counts as its mean. A text is 0 or 1
    for each category. What is missing anywhere has a 0/1 feature beside its column. Raises DataError for columns of
    other things.
    """
    features = [one for name in reference.column_names for one in _features(name, reference, current)]
    names, x, y = zip(*features, strict=True)
    return np.stack(x, axis=1), np.stack(y, axis=1), list(names)


def most_features(rows: pa.Table) -> int:
    """How many `as_numbers` makes at most of rows like these: where no number is missing, none is elsewhere."""
    return sum(_most_of(one) for one in rows.columns)


def _most_of(values: pa.ChunkedArray) -> int:
    if kind_of(values.type) in ("whole number", "number", "time"):
        return 1 if known(values).all() else 2
    return _MOST_CATEGORIES + 3  # rare ones, new ones, nulls


def _features(name: str, reference: pa.Table, current: pa.Table) -> Iterator[Feature]:
    both = (column(reference, name), column(current, name))
    if all(is_number(one.type) for one in both):
        yield from _numbers(name, *(_floats(one) for one in both))
    elif all(is_text(one.type) or pa.types.is_null(one.type) for one in both):
        yield from _texts(name, *(texts_of(one) for one in both))
    else:
        told = " and ".join(dict.fromkeys(str(one.type) for one in both))
        raise DataError(
            f"Column {name!r} is of type {told}, whose drift cannot be measured. List the wanted columns with "
            "`features:` in config.yaml, or compare `space: embedding`."
        )


def _floats(values: pa.Array) -> npt.NDArray[np.float64]:
    """(n,), NaN where there is no finite number."""
    floats = np.array(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
    return np.where(np.isfinite(floats), np.clip(floats, -_LARGEST, _LARGEST), np.nan)


def _numbers(name: str, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Iterator[Feature]:
    missing = np.isnan(x), np.isnan(y)
    middle, scale = _scale(x[~missing[0]], y[~missing[1]])
    with np.errstate(over="ignore"):
        scaled = ((np.where(gone, middle, one) - middle) / scale for one, gone in zip((x, y), missing, strict=True))
        both = tuple(np.clip(one, -_LARGEST, _LARGEST) for one in scaled)
    yield name, both[0], both[1]
    yield from _missing(name, *missing)


def _scale(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Mean and deviation of the reference's values; where they do not vary, or there are none, of all together."""
    for values in (x, np.concatenate([x, y])):
        if len(values):
            middle = float(values.mean())
            scale = float(np.abs(values - middle).max())  # so that no square leaves the range of floats
            scale *= float(np.sqrt(np.mean(((values - middle) / (scale or 1.0)) ** 2)))
            if scale > abs(middle) * 1e-12:  # else the rounding of a constant
                return middle, scale
    return (float(x.mean()) if len(x) else float(y.mean()) if len(y) else 0.0), 1.0


def _texts(name: str, x: pa.Array, y: pa.Array) -> Iterator[Feature]:
    """The commonest categories, the rarer ones of the reference, those that it does not have, and none at all."""
    found = sorted(pc.value_counts(x.drop_null()).to_pylist(), key=lambda one: (-one["counts"], one["values"]))
    ordered = pa.array([one["values"] for one in found], x.type)
    places = [_places(one, ordered) for one in (x, y)]
    for place, one in enumerate(found[:_MOST_CATEGORIES]):
        yield _zero_one(f"{name} = {one['values']}", *(some == place for some in places))
    if len(ordered) > _MOST_CATEGORIES:
        yield _zero_one(f"rare categories of {name}", *(some >= _MOST_CATEGORIES for some in places))
    new = (places[1] == -1) & known(y)
    if new.any():
        yield _zero_one(f"new categories of {name}", np.zeros(len(x), np.bool_), new)
    yield from _missing(name, ~known(x), ~known(y))


def _places(values: pa.Array, ordered: pa.Array) -> npt.NDArray[np.int64]:
    """Each value's among the reference's categories, −1 for another one and for none."""
    places = pc.index_in(values, value_set=ordered.cast(values.type))
    return np.asarray(places.fill_null(-1).to_numpy(zero_copy_only=False), np.int64)


def _missing(name: str, x: npt.NDArray[np.bool_], y: npt.NDArray[np.bool_]) -> Iterator[Feature]:
    if x.any() or y.any():
        yield _zero_one(f"nulls of {name}", x, y)


def _zero_one(name: str, x: npt.NDArray[np.bool_], y: npt.NDArray[np.bool_]) -> Feature:
    return name, x.astype(np.float64), y.astype(np.float64)

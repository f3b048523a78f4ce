"""The two windows that a statistic compares: finite numbers, float64, of the same features."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shared.errors import DataError

Rows = npt.NDArray[np.float64]  # (n, d)
PerFeature = npt.NDArray[np.float64]  # (d,)

_NUMBERS = "biuf"  # kinds of dtypes
_LARGEST = 1e150  # beyond it squares are no numbers


def windows(reference: npt.ArrayLike, current: npt.ArrayLike, *, least: int = 1) -> tuple[Rows, Rows]:
    """Both as they are compared, (n, d) and (m, d), float64, row after row in memory.

    What was given stays as it is. Raises DataError unless both have `least` rows, the same features, finite numbers.
    """
    rows = _rows("reference", reference, least), _rows("current", current, least)
    features = [one.shape[1] for one in rows]
    if features[0] != features[1]:
        raise DataError(
            f"the reference window has {features[0]} features and the current one {features[1]}; "
            "compare windows with the same features"
        )
    return rows


def _rows(name: str, given: npt.ArrayLike, least: int) -> Rows:
    try:
        array = np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"the {name} window is no array: {error}; give numbers of the shape (rows, features)") from None
    if array.dtype.kind not in _NUMBERS:
        raise DataError(f"the {name} window holds {array.dtype}, which are no numbers; encode them first")
    if array.ndim != 2:
        raise DataError(f"the {name} window has the shape {array.shape}; give it as (rows, features)")
    if array.shape[1] == 0:
        raise DataError(f"the {name} window has no features; give at least one")
    if len(array) < least:
        raise DataError(f"the {name} window has {len(array):,} rows, too few; this statistic needs {least} or more")
    array = np.ascontiguousarray(array, np.float64)
    usable = np.abs(array) <= _LARGEST  # no NaN is
    if not usable.all():
        row, feature = np.argwhere(~usable)[0].tolist()
        raise DataError(
            f"the {name} window holds {array[row, feature]} in row {row}, feature {feature} (both from 0), one of "
            f"{(~usable).sum():,} such values; fill or leave out what is no number from -1e150 to 1e150"
        )
    return array

"""How far the newest rows are from a reference: answers the question that trigger policy `data_drift` asks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.dataset.table import TableDataset
from shared.errors import ConfigurationError, DataError, RowError
from shared.printable import printable
from workers.detection import statistics
from workers.detection.detector import Detector, Sight
from workers.detection.drift_check import compared_columns
from workers.detection.matrix import as_numbers
from workers.detection.measures.by_features import by_features
from workers.detection.measures.over_features import foremost, over_features
from workers.detection.measures.principal import principal_components
from workers.detection.measures.streamed import STREAMED, streamed
from workers.detection.pixels import image_width, pixels_of
from workers.detection.rows import Keys, drawn, range_of, read

Rows = npt.NDArray[np.float64]  # (n, d)
Found = tuple[float, float | None, int | None]  # statistic, p, the feature that differs most
NameOf = Callable[[int], str]  # what a feature is called

_MOST_CELLS = 2**28  # of a window: 2 GiB of float64
_LONGEST_NAME = 60


class Drift(Detector):
    """Statistics of two windows of rows, in the space of their features or of the current model's embedding."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """`reference`, `current`: ranges of keys. `statistics`: a name each, with its options. `space`, `ignore`,
        `pca` and `most_rows` as the policy has them.
        """
        self._options = options
        self._ranges = [range_of(options[name]) for name in ("reference", "current")]

    def answer(self, sight: Sight) -> dict[str, Any]:
        """`statistics`: {name: {statistic, p_value, and why it is None}}; `rows` of both windows; the keys of both.

        One that is measured feature by feature has `most` too: the name of the feature that differs most, if any does.

        `model`: the trigger whose model's embedding it was; None where there is no model yet, and then no statistic.
        Raises DataError, and ConfigurationError for what can never be measured.
        """
        if self._options["space"] == "embedding" and sight.model is None:
            return {"model": None}
        found = [one.found(sight.dataset) for one in self._ranges]
        most = self._options["most_rows"]
        keys = [drawn(*one, most, sight.seed + place, sight.left_out) for place, one in enumerate(found)]
        return {
            "statistics": self._statistics(keys, sight),
            "rows": [len(one) for one in keys],
            "reference": list(found[0]),
            "current": list(found[1]),
            "model": sight.model_trigger if self._options["space"] == "embedding" else None,
        }

    def _statistics(self, keys: list[Keys], sight: Sight) -> dict[str, Any]:
        """Each by its name; where the rows cannot be compared, why."""
        try:
            x, y, name_of = self._windows(keys, sight)
        except RowError as error:
            undefined = {"statistic": None, "p_value": None, "why": str(error)}
            return {one["name"]: undefined for one in self._options["statistics"]}
        found = {one["name"]: _measured(one, x, y, sight) for one in self._options["statistics"]}
        return {name: _named(one, name_of) for name, one in found.items()}

    def _windows(self, keys: list[Keys], sight: Sight) -> tuple[Rows, Rows, NameOf]:
        """The rows of both as numbers, and their features' names. Raises RowError where they cannot be compared now."""
        if not all(map(len, keys)):
            raise RowError(f"there are {len(keys[1]):,} rows to compare with {len(keys[0]):,}")
        embedded = self._options["space"] == "embedding"
        x, y, name_of = _embedded(keys, sight) if embedded else _features(keys, sight.dataset, self._options["ignore"])
        components = self._options["pca"]
        if components is None:
            return x, y, name_of
        if len(x) < components <= x.shape[1]:
            raise RowError(f"{components} principal components need as many rows, and the reference has {len(x):,}")
        return *principal_components(x, y, components), "component {}".format


def _measured(statistic: Mapping[str, Any], x: Rows, y: Rows, sight: Sight) -> dict[str, Any]:
    """One statistic; None, and why, where these rows have none."""
    try:
        value, p_value, most = _one(statistic, x, y, sight)
    except DataError as error:
        return {"statistic": None, "p_value": None, "why": str(error)}
    found = {"statistic": _or_none(value), "p_value": None if p_value is None else _or_none(p_value)}
    return found if most is None else {**found, "most": most}


def _named(found: dict[str, Any], name_of: NameOf) -> dict[str, Any]:
    """With the name of the feature that differs most in the place of its number, short enough for a line."""
    if "most" not in found:
        return found
    name = printable(name_of(found["most"]))
    return {**found, "most": name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"}


def _one(statistic: Mapping[str, Any], x: Rows, y: Rows, sight: Sight) -> Found:
    options = dict(statistic)
    name, way = options.pop("name"), options.pop("features", None)
    if name in STREAMED:
        return streamed(name, x, y, options, sight.seed, sight.go_on), None, None
    measure: Callable[..., Any] = getattr(statistics, name)
    if way is None:
        return *measure(x, y, **options, seed=sight.seed % 2**32, go_on=sight.go_on), None
    value, p_value = by_features(measure, x, y, sight.go_on)
    return *over_features(value, p_value, way), foremost(value, p_value, way) if (value > 0).any() else None


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _features(keys: list[Keys], dataset: TableDataset, ignored: Sequence[str]) -> tuple[Rows, Rows, NameOf]:
    """The rows' features. Raises ConfigurationError for what is no number by itself."""
    columns = compared_columns(dataset, ignored)
    if dataset.config.image is not None:
        return _pixels(keys, dataset)
    reference, current = (read(dataset, columns, one) for one in keys)
    x, y, names = as_numbers(reference, current)
    return x, y, names.__getitem__


def _pixels(keys: list[Keys], dataset: TableDataset) -> tuple[Rows, Rows, NameOf]:
    """Images as rows of pixels from 0 to 1."""
    _refuse_too_large(max(map(len, keys)), image_width(dataset))
    x, y = (pixels_of(dataset, one) for one in keys)
    return x, y, "pixel {}".format


def _refuse_too_large(rows: int, width: int) -> None:
    if rows * width > _MOST_CELLS:
        raise ConfigurationError(
            f"{rows:,} images of {width:,} numbers each are more than can be compared at once; "
            f"write `most_rows: {max(_MOST_CELLS // width, 1)}`, or `space: embedding`."
        )


def _embedded(keys: list[Keys], sight: Sight) -> tuple[Rows, Rows, NameOf]:
    """The rows as the current model sees them before its last layer."""
    model = sight.model
    assert model is not None, "a question without a model was answered before"
    x, y = (model.embed(model.encode(read(sight.dataset, model.columns, one), one)) for one in keys)
    return x, y, "dimension {}".format

"""Whether rows of a new kind are enough to learn from: answers the question that guard `after_drift` asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.dataset.nulls import known
from shared.dataset.table import TableDataset
from shared.errors import RowError
from shared.plugins import METRICS
from shared.words import counted
from workers.detection.detector import Detector, Sight
from workers.detection.drift_check import tested_columns
from workers.detection.known_rows import KnownRows
from workers.detection.matrix import as_numbers
from workers.detection.measures.local_errors import LOCALITIES, SURE, LocalErrors
from workers.detection.measures.principal import principal_components
from workers.detection.pixels import image_width, pixels_of
from workers.detection.rows import Keys, drawn, read

Rows = npt.NDArray[np.float64]

_MOST_ROWS = 5_000
_MOST_CELLS = 2**26  # of images as numbers: 512 MiB
_DIMENSIONS = 10
_MOST_FOR_DIRECTIONS = 1_000  # rows that principal components are found from
_MOST_CLASSES = 50  # the commonest; others count as one
_FEWEST = 20


class EnoughRows(Detector):
    """Looks at rows alone, at no model: do near rows say more of a row's label than all do?

    Options: `rows` ([first, last] key, of all splits), `ignore` (feature columns that are left out). Of more than
    5,000 rows with a known label so many are drawn; of more than ten features the ten first principal components count.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    def answer(self, sight: Sight) -> dict[str, Any]:
        """`enough`, and `why` in words; `rows` whose labels are known; `errors` from wide to narrow, if there are some.

        Raises DataError, and ConfigurationError for what is no row of numbers.
        """
        columns = tested_columns(sight.dataset, self._options["ignore"])
        try:
            keys, x, y, rows = self._rows(sight, columns)
        except RowError as error:
            return {"enough": False, "why": str(error), "rows": 0}
        if len(keys) < _FEWEST:
            why = f"{counted(rows, 'row')} with a known label, {_FEWEST} needed at least"
            return {"enough": False, "why": why, "rows": rows}
        if (y == y[0]).all():
            why = f"{counted(rows, 'row')} with a known label have all the same label"
            return {"enough": False, "why": why, "rows": rows}
        found = LocalErrors(x, y, sight.go_on)
        told = {"enough": found.are_rows_enough, "why": _why(found, rows), "rows": rows}
        return {**told, "errors": found.errors.tolist(), "effective": found.effective, "needed": found.needed}

    def _rows(self, sight: Sight, columns: list[str]) -> tuple[Keys, Rows, Rows, int]:
        """The keys that are looked at, their features and labels as numbers, and how many have a label."""
        dataset, (first_key, last_key) = sight.dataset, self._options["rows"]
        stop_key = KnownRows(sight, first_key, last_key).stop_key
        keys = drawn(first_key, stop_key - 1, max(stop_key - first_key, 1), sight.seed, sight.left_out)
        label = _label(dataset, keys)
        there = known(label) if len(keys) else np.zeros(0, np.bool_)
        keys, label = keys[there], label.filter(pa.array(there))
        rows, most = len(keys), _MOST_ROWS
        if dataset.config.image is not None:
            most = min(most, _MOST_CELLS // image_width(dataset))
        some = drawn(0, rows - 1, most, sight.seed)
        keys, label = keys[some], label.take(pa.array(some))
        if len(keys) < _FEWEST:
            return keys, np.empty((0, 0)), np.empty((0, 0)), rows
        task = METRICS[sight.pipeline.evaluation.metrics[0].name].task
        return keys, _features(dataset, columns, keys), _targets(label, task == "classification"), rows


def _label(dataset: TableDataset, keys: Keys) -> pa.ChunkedArray:
    if not len(keys):
        return pa.chunked_array([], pa.null())
    return read(dataset, [dataset.config.label], keys).column(0)


def _features(dataset: TableDataset, columns: list[str], keys: Keys) -> Rows:
    """(n, d): standardised, d at most so many."""
    if dataset.config.image is not None:
        x = pixels_of(dataset, keys)
    else:
        table = read(dataset, columns, keys)
        x, _, _ = as_numbers(table, table)
    if x.shape[1] > _DIMENSIONS:
        some = np.linspace(0, len(x) - 1, min(len(x), _MOST_FOR_DIRECTIONS)).astype(np.int64)
        _, x = principal_components(x[some], x, _DIMENSIONS)
        x /= float(x.std(axis=0).max()) or 1.0  # the others keep their share of the whole
    return x


def _targets(label: pa.ChunkedArray, classes: bool) -> Rows:
    """(n, classes) of 0 and 1, or (n, 1) in deviations."""
    if not classes:
        values = label.cast(pa.float64(), safe=False).to_numpy()
        return np.asarray((values - values.mean()) / (values.std() or 1.0), np.float64)[:, None]
    encoded = label.combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(-np.bincount(codes), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.minimum(np.arange(len(order)), _MOST_CLASSES)
    targets: Rows = np.eye(int(place.max()) + 1)[place[codes]]
    return targets


def _why(found: LocalErrors, rows: int) -> str:
    """In words and numbers, for the journal."""
    wide, narrow = found.errors[0], found.errors[-1]
    of = f"of {counted(rows, 'row')} with a known label"
    if found.effective < found.needed:
        return f"{of} {found.effective:.3g} are near one in effect, {found.needed} needed"
    if not found.falls_throughout:
        step = int(np.argmax(np.diff(found.errors) > 0))
        worse = f"rises from {found.errors[step]:.4g} to {found.errors[step + 1]:.4g}"
        return (
            f"{of}, where nearer ones count more (θ {LOCALITIES[step]:g} to {LOCALITIES[step + 1]:g}) the error {worse}"
        )
    if not found.is_sure:
        told = f"the error falls from {wide:.4g} to {narrow:.4g}"
        return f"{of} {told} where near ones count more, and {SURE * found.fall_error:.2g} may be chance"
    return f"{of} the error falls from {wide:.4g} to {narrow:.4g} where near ones count more"

"""Detector expect: whether the rows of a trigger are what they must be, and what they usually are."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from shared.dataset.expected_names import wrong_columns
from shared.dataset.table import TableDataset
from shared.errors import DataError
from shared.plugins import METRICS
from workers.detection.detector import Detector, Sight
from workers.detection.usual.columns import column_findings
from workers.detection.usual.expected import Expected, Finding, many
from workers.detection.usual.labels import label_findings
from workers.detection.usual.rows import Stretch, row_findings
from workers.evaluation.windows import Entrant, Rows, evaluate

_MOST_ROWS = 200_000  # of a longer stretch, which are looked at
_PIECES = 8  # that these are taken in, evenly
_MOST_TOLD = 10


class Expect(Detector):
    """Compares the columns of a stretch with bounds, and with stretches before it.

    Arrow computes all of it: what it takes is a handful of counts and quantiles a column, for which a library that
    validates frames (pandera) would bring a frame library of 54 MB into each worker.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._now = Stretch.of(options["rows"])
        self._usual = tuple(map(Stretch.of, options["usual"]))
        self._given = options["expectations"]
        self._expected = Expected.of(self._given)

    def answer(self, sight: Sight) -> dict[str, Any]:
        """`violations`: {check, column, sentence} of the first few, `more`: how many others.

        Raises DataError for a column that is named and is not there, or is something else.
        """
        dataset = _as_it_is(sight.dataset)
        for key, sentence in wrong_columns(self._given, dataset):  # rows may have come after the check
            raise DataError(f"trigger.expect.{key} {sentence}")
        features, label = dataset.feature_columns, dataset.config.label
        read = _Reader(dataset, [*dict.fromkeys((*features, label))], sight)
        now, usual = read.rows(self._now), [read.rows(one) for one in self._usual]
        found = row_findings(self._now, self._usual, self._expected)
        apart = {dataset.config.text} if dataset.config.text else set[str]()
        for name in features:
            sight.go_on()
            found += column_findings(
                name, now.column(name), [one.column(name) for one in usual], self._expected, words=name not in apart
            )
        found += label_findings(now, usual, label, features, self._expected, comes_later=read.labels_come_later)
        found += self._score_findings(sight, dataset, read)
        told = [msgspec.to_builtins(one) for one in found[:_MOST_TOLD]]
        return {"rows": self._now.rows, "violations": told, "more": len(found) - len(told)}

    def _score_findings(self, sight: Sight, dataset: TableDataset, read: _Reader) -> list[Finding]:
        drop = self._expected.score_drop
        if drop is None or sight.model is None or not self._usual:
            return []
        metric = sight.pipeline.evaluation.metrics[0]
        entrants = []
        for stretches in ([self._now], self._usual):
            entrants.append(Entrant(sight.model, [metric], dataset.config.label, forgiven=(Exception,), drops=True))
            for one in stretches:
                stop = read.known_stop(one)
                rows = Rows(first_key=one.first_key, stop_key=stop, first_timestamp_us=None, last_timestamp_us=None)
                evaluate(entrants[-1:], rows, dataset, [])
        now, before = (one.scores()[0] for one in entrants)
        if now.value is None or before.value is None:
            return []
        worse = before.value - now.value if METRICS[metric.name].greater_is_better else now.value - before.value
        if worse <= drop:
            return []
        model = f"model {sight.model_trigger}" if sight.model_trigger is not None else "the current model"
        told = (
            f"{model} has {metric.label} {now.value:.4g} on {many(now.n)}, usually {before.value:.4g}; it may be "
            f"worse by {drop:g}"
        )
        return [Finding(check="score", column=None, sentence=told)]


class _Reader:
    """Rows of stretches, with labels as far as they are known."""

    def __init__(self, dataset: TableDataset, columns: list[str], sight: Sight) -> None:
        self._dataset, self._columns = dataset, columns
        in_table = dataset.config.labels is not None  # there one that is not known yet is null anyhow
        self.labels_come_later = in_table or sight.pipeline.data.label_delay_us > 0
        self._known_stop = None if in_table else -1 if sight.labelled_key is None else sight.labelled_key + 1

    def rows(self, stretch: Stretch) -> pa.Table:
        """At most so many rows of a stretch; a label that is not known yet is null."""
        tables = []
        for first_key, stop_key in _parts(stretch):
            for _, table in self._dataset.batches(self._columns, first_key, stop_key):
                tables.append(table)
        if sum(table.num_rows for table in tables) != sum(stop - first for first, stop in _parts(stretch)):
            raise DataError(f"dataset {self._dataset.config.name}: rows up to key {stretch.last_key} are not there.")
        rows = pa.concat_tables(tables, promote_options="permissive")
        return rows if self.known_stop(stretch) > stretch.last_key else self._with_known_labels(rows, stretch)

    def _with_known_labels(self, rows: pa.Table, stretch: Stretch) -> pa.Table:
        keys = np.concatenate([np.arange(first, stop) for first, stop in _parts(stretch)])
        place = rows.schema.get_field_index(self._dataset.config.label)
        known = rows.column(place).take(pa.array(np.arange(len(keys)), mask=keys >= self.known_stop(stretch)))
        return rows.set_column(place, rows.schema.field(place).with_nullable(True), known)

    def known_stop(self, stretch: Stretch) -> int:
        """Behind its last row whose label is known."""
        stop_key = stretch.last_key + 1
        return stop_key if self._known_stop is None else min(stop_key, max(self._known_stop, stretch.first_key))


def _parts(stretch: Stretch) -> list[tuple[int, int]]:
    """[first key, stop key) of what is looked at: all, or as many rows as may be, evenly."""
    if stretch.rows <= _MOST_ROWS:
        return [(stretch.first_key, stretch.last_key + 1)]
    each = _MOST_ROWS // _PIECES
    step = (stretch.rows - each) / (_PIECES - 1)
    starts = [stretch.first_key + int(number * step) for number in range(_PIECES)]
    return [(start, start + each) for start in starts]


def _as_it_is(dataset: TableDataset) -> TableDataset:
    """The same rows; a null is something to be told of, not an error, whatever `nulls:` says."""
    there = copy(dataset)
    nulls = msgspec.structs.replace(dataset.config.nulls, features="impute", labels="drop")
    there.config = msgspec.structs.replace(dataset.config, nulls=nulls)
    return there

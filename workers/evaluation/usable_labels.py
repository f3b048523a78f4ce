"""Labels as far as they can be used: a row without one is not there, and a bad row is an error or passed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from shared.errors import RowError
from shared.messages.rescore import KeyRange
from workers.features.class_names import MOST_CLASSES

_LARGEST = 1e150  # of a label that is a number: their sum stays one


class Labelled(Protocol):
    """A dataset that knows its rows' labels."""

    def labels(self, first_key: int, stop_key: int) -> npt.NDArray[Any]:
        """Labels of the rows [first_key, stop_key), shape (rows,); NaN where a row that is dropped has none."""


def present(labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Those of rows that have one."""
    return labels[is_present(labels)] if labels.dtype.kind == "f" else labels


def is_present(labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which rows have one, (rows,)."""
    return ~np.isnan(labels) if labels.dtype.kind == "f" else np.ones(len(labels), np.bool_)


class BadRows(msgspec.Struct, frozen=True, kw_only=True):
    """What a bad row is, and whether it is passed over; else it is an error."""

    classes: int = MOST_CLASSES  # labels that are no numbers are below it
    passed_over: bool = False


class UsableLabels:
    """A dataset's labels as far as they can be used; others are NaN, or an error."""

    def __init__(self, dataset: Labelled, bad_rows: BadRows, *, numbers: bool) -> None:
        self._dataset, self._rule, self._numbers = dataset, bad_rows, numbers
        self._first_bad: dict[int, str] = {}  # key → what is wrong there, of each reading the first

    def labels(self, first_key: int, stop_key: int) -> npt.NDArray[Any]:
        """As of a dataset. Raises DataError."""
        return self.usable(self._dataset.labels(first_key, stop_key), np.arange(first_key, stop_key))

    def usable(self, labels: npt.NDArray[Any], keys: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Labels of some rows, (rows,), NaN where one cannot be used; raises RowError where that is an error."""
        bad = self._bad(labels)
        if not bad.any():
            return labels
        row = int(np.argmax(bad))
        self._first_bad[int(keys[row])] = told = self._told(int(keys[row]), labels[row])
        if not self._rule.passed_over:
            raise RowError(told)
        return np.where(bad, np.nan, labels)

    def bad_in(self, ranges: Sequence[KeyRange]) -> str | None:
        """What is wrong with a row of those that were read, if one cannot be used."""
        bad = self._first_bad.items()
        return next((told for one in ranges for key, told in bad if one.first_key <= key <= one.last_key), None)

    def _bad(self, labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        there = np.where(np.isnan(labels), 0, labels) if labels.dtype.kind == "f" else labels
        if self._numbers:
            bad = (there < -_LARGEST) | (there > _LARGEST)
        else:
            bad = (there < 0) | (there >= self._rule.classes) | (there != np.floor(there))
        return np.asarray(bad, np.bool_)

    def _told(self, key: int, label: Any) -> str:
        if self._numbers:
            return f"The label at key {key} is {label}, infinite or beyond {_LARGEST:g}. Mend the row."
        classes = self._rule.classes
        if classes <= label < MOST_CLASSES and label == np.floor(label):
            return (
                f"The label at key {key} is {label}, but the model tells {classes} classes apart, from 0 on. "
                "Raise num_classes, or mend the row."
            )
        return (
            f"The label at key {key} is {label}, which is no class number. "
            "Number the classes 0, 1, 2… in the data, or mend the row."
        )

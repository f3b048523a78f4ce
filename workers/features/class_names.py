"""Which numbers the texts of a label column have as classes: a matter of the dataset and the first trigger alone.

Where `classes:` lists them, their numbers are their places. Else the texts of all rows up to the first trigger's last
are numbered in the order of their letters, and each later one gets the next number, in the order of the keys at which
they first stand, as long as there is room. So whoever knows the classes up to a key can go on from there, on any
machine and at any time.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.class_names import ClassNames
from shared.config.pipeline import Model
from shared.dataset.column_kinds import kind_of
from shared.dataset.nulls import known as known_values
from shared.dataset.table import TableDataset
from shared.errors import RowError
from shared.labels.index import LabelIndex

MOST_CLASSES = 100_000


def room_of(model: Model) -> int:
    """How many classes a model can have: `num_classes`, of which one tells two apart; else as many as there may be."""
    declared = model.config.get("num_classes")
    return max(declared, 2) if type(declared) is int else MOST_CLASSES


def names_up_to(
    dataset: TableDataset, stop_key: int, known: ClassNames | None, first_labelled_key: int | None, room: int
) -> ClassNames | None:
    """The classes of the rows before `stop_key`, from those that were `known` before; None: numbers without names.

    Raises DataError, and RowError for more texts than can be classes.
    """
    texts, listed = dataset.has_text_labels, dataset.config.classes
    if listed is not None:
        return ClassNames(names=listed, until=None, texts=texts)
    if not texts:
        return None
    if known is None:
        first_stop_key = min(stop_after(first_labelled_key), stop_key)
        known = ClassNames(names=tuple(sorted(first_rows(dataset, 0, first_stop_key))[:room]), until=first_stop_key - 1)
    assert known.until is not None, "listed classes are in the configuration"
    if known.until + 1 >= stop_key:
        return known
    later = first_rows(dataset, known.until + 1, stop_key) if len(known.names) < room else {}
    return ClassNames(names=with_later(known.names, later, room), until=stop_key - 1)


def names_in_index(
    dataset: TableDataset,
    index: LabelIndex,
    trigger_key: int,
    labelled_key: int | None,
    known: ClassNames | None,
    room: int,
) -> ClassNames | None:
    """The classes that a trigger knows where labels stand in a table of their own, from those that were `known` before.

    The first ones are sorted; later ones come behind, by the first row that has had them. None: numbers without names.
    """
    texts, listed = dataset.has_text_labels, dataset.config.classes
    if listed is not None:
        return ClassNames(names=listed, until=None, texts=texts)
    if not texts:
        return None
    names, until = () if known is None else known.names, stop_after(labelled_key) - 1
    of_codes = index.texts()
    if len(names) < min(len(of_codes), room):
        changes = index.changes(0, trigger_key + 1)
        order = np.lexsort((changes["value"], changes["row"]))
        codes, first = np.unique(changes["value"][order].astype(np.int64), return_index=True)
        rows = changes["row"][order][first].tolist()
        later = {of_codes[code]: row for code, row in zip(codes.tolist(), rows, strict=True)}
        names = tuple(sorted(later)[:room]) if known is None else with_later(names, later, room)
    return ClassNames(names=names, until=until)


def stop_after(labelled_key: int | None) -> int:
    """The first key behind the last row whose label is known; None: there is none."""
    return 0 if labelled_key is None else labelled_key + 1


def first_rows(dataset: TableDataset, first_key: int, stop_key: int) -> dict[str, int]:
    """Text → the key at which it first stands among the rows [first_key, stop_key). Nulls are none.

    Raises DataError, and RowError for more texts than can be classes.
    """
    found: dict[str, int] = {}
    for key, labels in dataset.labels_as_they_are(first_key, stop_key):
        refuse_numbers(labels.type, dataset.config.label, key)
        texts = labels.drop_null().unique().to_pylist()
        if not all(text in found for text in texts):
            places = pc.index_in(labels, value_set=pa.array(texts, labels.type), skip_nulls=True)
            rows = np.unique(places.drop_null(), return_index=True)[1]
            there = np.flatnonzero(known_values(labels))
            found = {text: key + int(there[row]) for text, row in zip(texts, rows, strict=True)} | found
        if len(found) > MOST_CLASSES:
            raise RowError(
                f"The labels in {dataset.config.label} are more than {MOST_CLASSES:,} different texts up to key "
                f"{key + len(labels) - 1}. Is that the column to be learned? Name another `label:` in config.yaml."
            )
    return found


def refuse_numbers(label_type: pa.DataType, name: str, key: int) -> None:
    """Raise RowError for labels that are no texts, where those before are; nulls alone may be either."""
    if kind_of(label_type) not in ("text", "nothing"):
        raise RowError(
            f"The label column {name!r} is {label_type} from key {key} on, where the classes have names. "
            "Write texts there, too."
        )


def with_later(names: tuple[str, ...], later: Mapping[str, int], room: int) -> tuple[str, ...]:
    """Names, with those behind them that they lack, in the order of their first keys, as long as there is room."""
    known = set(names)
    new = sorted((key, text) for text, key in later.items() if text not in known)
    return (*names, *(text for _, text in new))[: max(room, len(names))]


class LaterClasses:
    """The labels that a process has met, so that models that are scored far behind their rows do not have it read all
    of them again and again.
    """

    def __init__(self) -> None:
        self._of: TableDataset | None = None
        self._first: dict[str, int] = {}
        self._start = self._stop = 0

    def of(self, names: ClassNames, room: int, dataset: TableDataset, stop_key: int) -> ClassNames:
        """The classes of the rows before `stop_key`, for a model of this dataset that knows those up to `names.until`.

        Raises what `first_rows` does.
        """
        if names.until is None or dataset.config.classes is not None or len(names.names) >= room:
            return names
        self._cover(dataset, min(names.until + 1, stop_key), stop_key)
        later = {text: key for text, key in self._first.items() if names.until < key < stop_key}
        return msgspec.structs.replace(names, names=with_later(names.names, later, room))

    def _cover(self, dataset: TableDataset, first_key: int, stop_key: int) -> None:
        """Have looked at all rows from one key to another: those between are none that were not looked at."""
        if self._of is None or not _same_rows(self._of, dataset):
            self._of, self._first, self._start, self._stop = dataset, {}, first_key, first_key
        if len(dataset.entries) > len(self._of.entries):
            self._of = dataset
        if first_key < self._start:
            self._first |= first_rows(dataset, first_key, self._start)
            self._start = first_key
        if stop_key > self._stop:
            self._first = first_rows(dataset, self._stop, stop_key) | self._first
            self._stop = stop_key


def _same_rows(one: TableDataset, other: TableDataset) -> bool:
    """Whether rows with the same key are the same, as far as both reach."""
    both = zip(one.entries, other.entries, strict=False)
    return one.config == other.config and all(ours == theirs for ours, theirs in both)

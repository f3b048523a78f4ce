"""Columns and classes that `expect:` names, and that a dataset does not have, or has as something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.column_kinds import kind_of
from shared.dataset.known_file import known_schema
from shared.dataset.table import TableDataset
from shared.words import meant

_KINDS = {"ranges.columns": ("numbers", ("whole number", "number")), "categories.columns": ("texts", ("text",))}
_MOST_LISTED = 20  # names


def wrong_columns(
    expect: Mapping[str, Any], rows: TableDataset, labels: TableDataset | None = None
) -> Iterator[tuple[str, str]]:
    """(key of `expect`, sentence) for each column that no model sees and that is not the label, or whose values are of
    another kind. `labels`: the table that has them, if it is known and the rows do not. Raises DataError.
    """
    label = rows.config.label
    known = {*rows.feature_columns, label}
    named = {f"{key}.columns": expect[key]["columns"] for key in ("nulls", "ranges", "categories")}
    for key, names in {**named, "ignore": expect["ignore"]}.items():
        for name in names:
            if name not in known:
                where = f"no feature of dataset {rows.config.name}, nor its label"
                yield key, f"names {name}, which is {where}; {_nearest(name, known)}"
            elif key in _KINDS:
                there = _type_of(name, rows if labels is None or name != label else labels)
                wanted, kinds = _KINDS[key]
                if there is not None and kind_of(there) not in kinds:
                    yield key, f"names {name}, which has no {wanted}: its type is {there}; remove it."


def wrong_classes(expect: Mapping[str, Any], labelled: TableDataset, *, may_come: bool) -> Iterator[tuple[str, str]]:
    """Likewise for each class that no label is. `labelled`: the table that has the labels. `may_come`: those that it
    has are not all, so only what can be none is told. Raises DataError.
    """
    config, classes = labelled.config, list(expect["labels"]["shares"])
    there = _type_of(config.label, labelled) if classes else None
    if there is None:
        return
    if kind_of(there) == "number":
        where = f"label {config.label} of dataset {config.name} has numbers, of type {there}"
        yield "labels.shares", f"is of classes, and {where}; write ranges.columns for its bounds."
        return
    known = _told(labelled, set(classes)) if not may_come else {"false", "true"} if pa.types.is_boolean(there) else None
    for name in classes:
        if known is not None and name not in known:
            where = f"no label in {config.label} of dataset {config.name}"
            yield "labels.shares", f"names {name}, which is {where}; {_nearest(name, known)}"
        elif known is None and kind_of(there) == "whole number" and not name.removeprefix("-").isdecimal():
            where = f"label {config.label} of dataset {config.name}"
            yield "labels.shares", f"names {name}, and {where} has whole numbers; write one of these."


def _told(labelled: TableDataset, wanted: set[str]) -> set[str]:
    """All labels, as texts; fewer, if those that are wanted are among them."""
    found = set[str]()
    for _, piece in labelled.labels_as_they_are(0, labelled.rows):
        found |= set(pc.unique(piece).drop_null().cast(pa.string()).to_pylist())
        if wanted <= found:
            break
    return found


def _type_of(name: str, table: TableDataset) -> pa.DataType | None:
    """That of the first file that does not hold nulls alone; None: there is none yet."""
    schemas = chain([table.schema], (known_schema(entry, table.config) for entry in table.entries if entry.rows))
    types = (one.field(name).type for one in schemas if name in one.names)
    return next((one for one in types if kind_of(one) != "nothing"), None)


def _nearest(name: str, known: set[str]) -> str:
    near, names = meant(name, sorted(known)), sorted(known)
    if near:
        return f"did you mean {near}?"
    return f"known: {', '.join(names[:_MOST_LISTED]) or 'none'}{', …' if len(names) > _MOST_LISTED else '.'}"

"""What a training set held that was not simply there, in lines for people: nulls, unknown categories, moved columns."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from shared.class_names import told
from shared.ids import parts_of
from shared.messages.reports import FeatureNotes, NewClasses, Report, Selected, Trained, UnknownCategories

_MANY = 0.05  # of the rows, for categories that the model does not know


def odd_rows(report: Report) -> Iterator[tuple[int, str]]:
    """Lines with their level; none where all was there."""
    trigger = parts_of(report.task_id).trigger_id
    match report:
        case Selected():
            if report.dropped:
                columns = ", ".join(f"{count:,} in {name}" for name, count in report.dropped.items())
                yield logging.INFO, f"  trigger {trigger}: rows left out as their label is null: {columns}"
            if report.classes is not None and report.classes.names:
                yield logging.INFO, f"  trigger {trigger}: {_of_classes(report.classes)}"
        case Trained(features=features):
            for level, line in _of_features(features):
                yield level, f"{'!' if level == logging.WARNING else ' '} trigger {trigger}: {line}"


def odd_columns(report: Trained) -> dict[tuple[str, str], tuple[int, str]]:
    """(what is odd, column) → the line on it: that it has not varied yet, or lies far from where it was."""
    trigger, found = parts_of(report.task_id).trigger_id, {}
    for name in report.features.constant:
        line = f"  trigger {trigger}: {name} has one value so far; the model learns nothing of it until it varies"
        found["constant", name] = (logging.INFO, line)
    for name, far in report.features.moved.items():
        where = f"{abs(far):.1f} deviations {'below' if far < 0 else 'above'} where the encoder was fitted"
        line = f"! trigger {trigger}: {name} lies {where}; training.use_previous_model: false scales it anew"
        found["moved", name] = (logging.WARNING, line)
    return found


def _of_classes(new: NewClasses) -> str:
    """Where they stand among the numbers that labels become."""
    if new.before == 0:
        return f"the classes are {told(new.names)}"
    several = len(new.names) > 1
    return f"new class{'es' * several} {told(new.names)}, number{'s' * several} {new.before}" + (
        f" to {new.before + len(new.names) - 1}" if several else ""
    )


def _of_features(features: FeatureNotes) -> Iterator[tuple[int, str]]:
    if features.imputed:
        yield logging.INFO, f"nulls filled in, of {features.rows:,} rows: {_counted(features.imputed)}"
    if features.scaled:
        columns = ", ".join(features.scaled)
        was, varies = ("was", "varies") if len(features.scaled) == 1 else ("were", "vary")
        yield logging.INFO, f"{columns} {was} constant so far and {varies} now; learned from here on"
    for name, categories in features.grown.items():
        yield (
            logging.INFO,
            f"new categories of {name} are inputs from here on, such as {', '.join(map(repr, categories))}",
        )
    for name, one in features.unknown.items():
        yield _unknown(name, one, features.rows)


def _unknown(name: str, one: UnknownCategories, rows: int) -> tuple[int, str]:
    """A warning where it is many rows: the model learns nothing of what they are."""
    named = ", ".join(f"{category!r} {count:,}" for category, count in one.commonest.items())
    line = f"{one.rows:,} of {rows:,} rows have a category of {name} that the model does not know: {named}"
    if one.rows <= _MANY * rows:
        return logging.INFO, line
    remedy = "training.encoder: grow learns them from then on, use_previous_model: false with each training"
    return logging.WARNING, f"{line}; {remedy}"


def _counted(columns: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in columns.items())

"""How a column becomes numbers, and its nulls: the words of docs/data.md, for one column of a dataset."""

from __future__ import annotations

from shared.config.system import Dataset
from shared.dataset.survey.column import MOST_TEXTS, ColumnSurvey
from shared.dataset.survey.survey import Survey


def becomes(found: Survey, name: str) -> str:
    """What a model sees of a feature."""
    config, column = found.config, found.columns[name]
    if config.image is not None:
        return f"image {'×'.join(map(str, config.image.shape))}, divided by 255"
    if config.text is not None:
        return "text, its first max_chars bytes"
    told = _numbers(column)
    return f"{told}; and 1 where null" if config.nulls.indicator and column.nulls else told


def _numbers(column: ColumnSurvey) -> str:
    if column.kinds <= {"nothing"}:
        return "0, as all are null"
    if "text" in column.kinds:
        count = column.distinct.count
        if count is None:
            return f"one-hot, more than {MOST_TEXTS:,} categories"
        return f"one-hot, {count:,} {'category' if count == 1 else 'categories'}"
    days = "days since 1970, " if "time" in column.kinds else ""
    return f"{days}scaled" if column.varies else f"{days}constant, 0 until it varies"


def time_becomes(config: Dataset) -> str:
    """What a model sees of the timestamp, where it sees anything."""
    of = f" of {config.zone}" if config.zone is not None else ""
    return f"{', '.join(config.time_features or ())}{of}, as sine and cosine"


def nulls_become(found: Survey, name: str) -> str | None:
    """What is done with a column's nulls; None where it has none. Where they are refused, reading them has failed."""
    config, column = found.config, found.columns[name]
    if not column.nulls:
        return None
    if name == config.label:
        return "neither selected nor scored"
    if config.image is not None:
        return "black"
    if config.text is not None:
        return "empty"
    return "all zero" if "text" in column.kinds else "the mean"

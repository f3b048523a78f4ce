"""Whether the labels that are there can be learned from, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.class_names import ClassNames, told
from shared.dataset.manifest import MEND_THE_ROW
from shared.dataset.nulls import OFFER_DROP, known
from shared.errors import NotReadyError, RowError
from shared.messages.reports import Finding
from workers.features.class_names import MOST_CLASSES, refuse_numbers
from workers.features.columns import Keys, column, is_text, refuse_nulls
from workers.features.source import ROWS_ENCODED_AT_ONCE, SampleSource
from workers.training.labels import count_classes, label_reader
from workers.training.losses import LOSSES

_NUMBERS = {"false": "0", "true": "1"}  # as booleans become


def label_findings(source: SampleSource, loss: str, outputs: int) -> list[Finding]:
    """That they are no numbers where the loss learns these, or more classes than the model has outputs for.

    Raises DataError for the first label, of all there are, that the loss cannot learn from: with its key, or with its
    position where labels stand in a table of their own, which then are looked at in its order.
    """
    try:
        return _findings(source, loss, outputs)
    except RowError as error:
        if source.config.labels is None:
            raise
        said = str(error).replace(" at key ", " at position ").replace(" from key ", " from position ")
        raise RowError(f"In the table of labels: {said}") from error


def _findings(source: SampleSource, loss: str, outputs: int) -> list[Finding]:
    config, classes, kind = source.config, count_classes(LOSSES[loss], outputs), label_type(source)
    texts = kind is not None and is_text(kind)
    if classes is None and (texts or config.classes is not None):
        return [Finding(path="training.loss.name", sentence=_no_numbers(source, loss, texts=texts))]
    listed = None if config.classes is None else ClassNames(names=config.classes, until=None, texts=texts)
    wrong = ""
    if listed is not None and classes is not None:
        wrong = _too_many("`classes` names", listed.names, classes) or _called_otherwise(listed)
    elif texts and classes is not None:
        return _placed(_too_many(f"the labels in {config.label} are of", _different(source), classes))
    if not wrong:
        read = label_reader(LOSSES[loss], outputs, config.label, listed)
        for keys, values in _pieces(source):
            read(values, keys)
    return _placed(wrong)


def _placed(wrong: str) -> list[Finding]:
    return [Finding(path="data.dataset", sentence=wrong, exit_code=NotReadyError.exit_code)] if wrong else []


def _pieces(source: SampleSource) -> Iterator[tuple[Keys, pa.Array]]:
    """Keys and labels, without the rows that are dropped for want of one. Raises DataError."""
    name, drops = source.config.label, source.config.nulls.labels == "drop"
    for first_key, table in source.batches([name], 0, source.rows, ROWS_ENCODED_AT_ONCE):
        labels, keys = column(table, name), np.arange(first_key, first_key + table.num_rows)
        if drops:
            labels, keys = labels.filter(pa.array(known(labels))), keys[known(labels)]
        yield keys, labels


def label_type(source: SampleSource) -> pa.DataType | None:
    """Of the first label that is there; None: there is none. Raises DataError."""
    return next((values.type for _, values in _pieces(source) if len(values)), None)


def _different(source: SampleSource) -> list[str]:
    """All texts, sorted; no more than can be classes. Raises DataError for what is none."""
    found: dict[str, None] = {}
    for keys, values in _pieces(source):
        if len(keys):
            refuse_numbers(values.type, source.config.label, int(keys[0]))
            refuse_nulls(values, f"{source.config.label} (label)", keys, f"{MEND_THE_ROW} {OFFER_DROP}")
        found |= dict.fromkeys(pc.unique(values).to_pylist())
        if len(found) > MOST_CLASSES:
            break
    return sorted(found)


def _no_numbers(source: SampleSource, loss: str, *, texts: bool) -> str:
    """Why a loss that learns numbers cannot be used."""
    config = source.config
    why = f"{config.label} of dataset {config.name} is text" if texts else f"dataset {config.name} names its `classes`"
    return f"{loss} learns numbers, but {why}; choose a loss of classes, such as CrossEntropyLoss."


def _too_many(which: str, names: Sequence[str], classes: int) -> str:
    """What is wrong if there are more than the model has; empty if there are not."""
    if len(names) <= classes:
        return ""
    many = f"{len(names)}" if len(names) <= MOST_CLASSES else f"more than {MOST_CLASSES}"
    return (
        f"{which} {many} classes, {told(names)}, but the model tells {classes} apart. Set num_classes to {len(names)}, "
        "name another `label:`, or mend the rows."
    )


def _called_otherwise(listed: ClassNames) -> str:
    """What is wrong if numbers are listed by names that are other numbers; empty if they are not."""
    for place, name in enumerate(listed.names if not listed.texts else ()):
        said = _NUMBERS.get(name.lower(), name)
        if said.isdecimal() and int(said) != place:
            return f"`classes` calls the label {place} {name!r}; labels are numbers, and the first name is that of 0."
    return ""

"""Whether the labels that are there can be learned from, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.class_names import ClassNames, told
from shared.dataset.nulls import known
from shared.errors import NotReadyError
from shared.messages.reports import Finding
from workers.features.class_names import MOST_CLASSES
from workers.features.columns import Keys, column, is_text
from workers.features.source import ROWS_ENCODED_AT_ONCE, SampleSource
from workers.training.labels import count_classes, label_reader
from workers.training.losses import LOSSES

_NUMBERS = {"false": "0", "true": "1"}  # as booleans become


def label_findings(source: SampleSource, loss: str, outputs: int) -> list[Finding]:
    """That they are no numbers where the loss learns these, or more classes than the model has outputs for.

    Raises DataError for the first label, of all there are, that the loss cannot learn from.
    """
    classes, labels = count_classes(LOSSES[loss], outputs), _Labels(source)
    if classes is None and (labels.are_texts or source.config.classes is not None):
        return [Finding(path="training.loss.name", sentence=_no_numbers(source, loss, texts=labels.are_texts))]
    wrong = "" if classes is None else labels.more_than(classes) or labels.called_otherwise()
    if wrong:
        return [Finding(path="data.dataset", sentence=wrong, exit_code=NotReadyError.exit_code)]
    read = label_reader(LOSSES[loss], outputs, source.config.label, labels.names())
    for keys, values in labels.pieces():
        read(values, keys)
    return []


def _no_numbers(source: SampleSource, loss: str, *, texts: bool) -> str:
    """Why a loss that learns numbers cannot be used."""
    config = source.config
    why = f"{config.label} of dataset {config.name} is text" if texts else f"dataset {config.name} names its `classes`"
    return f"{loss} learns numbers, but {why}; choose a loss of classes, such as CrossEntropyLoss."


class _Labels:
    """The label column of a source, as far as it must be known before anything is trained."""

    def __init__(self, source: SampleSource) -> None:
        self._source = source
        first = next((values for _, values in self.pieces() if len(values)), None)
        self.are_texts = first is not None and is_text(first.type)
        self._met = self._different() if self.are_texts and source.config.classes is None else []

    def pieces(self) -> Iterator[tuple[Keys, pa.Array]]:
        """Keys and labels, without the rows that are dropped for want of one. Raises DataError."""
        name, drops = self._source.config.label, self._source.config.nulls.labels == "drop"
        for first_key, table in self._source.batches([name], 0, self._source.rows, ROWS_ENCODED_AT_ONCE):
            labels, keys = column(table, name), np.arange(first_key, first_key + table.num_rows)
            there = known(labels) if drops else np.ones(len(keys), np.bool_)
            yield keys[there], labels.filter(pa.array(there))

    def names(self) -> ClassNames | None:
        """Those that all rows together have, in any order; or those that are listed."""
        listed = self._source.config.classes
        if listed is None and not self.are_texts:
            return None
        return ClassNames(names=listed or tuple(self._met), until=None, texts=self.are_texts)

    def more_than(self, classes: int) -> str:
        """What is wrong if there are more; empty if there are not."""
        config = self._source.config
        named = config.classes or self._met
        if len(named) <= classes:
            return ""
        which = "`classes` names" if config.classes is not None else f"the labels in {config.label} are of"
        many = f"{len(named)}" if len(named) <= MOST_CLASSES else f"more than {MOST_CLASSES}"
        return (
            f"{which} {many} classes, {told(named)}, but the model tells {classes} apart. Set num_classes to "
            f"{len(named)}, name another `label:`, or mend the rows."
        )

    def called_otherwise(self) -> str:
        """What is wrong if numbers are listed by names that are other numbers; empty if they are not."""
        for place, name in enumerate(self._source.config.classes or () if not self.are_texts else ()):
            said = _NUMBERS.get(name.lower(), name)
            if said.isdecimal() and int(said) != place:
                return (
                    f"`classes` calls the label {place} {name!r}; labels are numbers, and the first name is that of 0."
                )
        return ""

    def _different(self) -> list[str]:
        """All texts, sorted; no more than can be classes. Raises DataError."""
        found: set[str] = set()
        for _, values in self.pieces():
            found.update(text for text in pc.unique(values).to_pylist() if isinstance(text, str))
            if len(found) > MOST_CLASSES:
                break
        return sorted(found)

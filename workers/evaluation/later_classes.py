"""Classes with names that a model was not trained on, and may be asked about."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from shared.dataset.table import TableDataset
from workers.features.class_names import LaterClasses, first_rows, with_later
from workers.loaded_model import LoadedModel


def knowing(
    model: LoadedModel, opened: Callable[[], TableDataset], first_key: int, last_key: int, later: LaterClasses
) -> LoadedModel:
    """The model with the classes that were first met behind its rows, which it has room for, to score first..last.

    `opened`: opens the dataset, if it is needed; `later`: labels that were met before. Raises DataError.
    """
    known, room = model.header.classes, model.classes
    if known is None or room is None or not known.texts or len(known.names) >= room:
        return model
    dataset = opened()
    if not dataset.has_text_labels:
        return model
    in_table = dataset.config.labels is not None
    if in_table:  # labels that were not known before may be now
        later = LaterClasses()
    classes = later.of(known, room, dataset, last_key + 1)
    if in_table and known.until is not None and first_key <= known.until:
        first = first_rows(dataset, first_key, min(known.until, last_key) + 1)
        classes = msgspec.structs.replace(classes, names=with_later(classes.names, first, room))
    return model.knowing(classes)

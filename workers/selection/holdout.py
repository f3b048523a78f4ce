"""Holdout models, which rho_loss compares the current one with: where they come from, and on which rows."""

from __future__ import annotations

from collections.abc import Callable

import fsspec
import numpy as np

from shared.class_names import ClassNames, told
from shared.errors import ConfigurationError
from workers.features.columns import Keys
from workers.loaded_model import LoadedModel
from workers.selection.known import Known
from workers.selection.reader import Reader, Source


class Holdouts:
    """Those of one selection: each is loaded once."""

    def __init__(self, load: Callable[[bytes], LoadedModel], train: Callable[[], bytes | None]) -> None:
        self._load, self._train = load, train
        self._loaded: tuple[bytes | str, LoadedModel] | None = None

    def trained(self) -> bytes | None:
        """One of the validation rows that are known; None if there are none. Raises what a training does."""
        return self._train()

    def loaded(self, holdout: bytes | str, classes: ClassNames | None) -> LoadedModel:
        """One by its bytes, or by the URI at which they lie, for labels of these classes.

        Raises ArtifactError, ConfigurationError.
        """
        if self._loaded is None or self._loaded[0] != holdout:
            body = read_holdout(holdout) if isinstance(holdout, str) else holdout
            self._loaded = holdout, _knowing(self._load(body), classes)
        return self._loaded[1]


def read_holdout(uri: str) -> bytes:
    """What lies there. Raises ConfigurationError."""
    try:
        with fsspec.open(uri, "rb") as file:
            body: bytes = file.read()
    except (OSError, ValueError, ImportError) as error:
        raise ConfigurationError(
            f"holdout model {uri} cannot be read: {error}. Name a model.safetensors that the workers can read."
        ) from error
    return body


def refuse_other_classes(holdout: ClassNames | None, classes: ClassNames | None) -> None:
    """Raise ConfigurationError where a holdout model tells other classes apart than labels are numbered by."""
    if holdout is None or classes is None:
        return
    both = min(len(holdout.names), len(classes.names))
    if holdout.names[:both] != classes.names[:both]:
        raise ConfigurationError(
            f"the holdout model calls its classes {told(holdout.names)}, and the dataset {told(classes.names)}. "
            "Write `classes` for the dataset in config.yaml, in the order of that model, or name another one."
        )


def _knowing(holdout: LoadedModel, classes: ClassNames | None) -> LoadedModel:
    """The model with the classes that were met behind its rows."""
    own = holdout.header.classes
    refuse_other_classes(own, classes)
    if own is None or classes is None or len(own.names) >= len(classes.names):
        return holdout
    return holdout.knowing(classes)


def validation_keys(source: Source, known: Known) -> Keys:
    """The rows of the validation split whose labels are known at a trigger, ascending; none that is set aside.

    8 bytes a row. Raises DataError if a row is missing.
    """
    return np.concatenate([np.empty(0, np.int64), *Reader(source, known, "validation").keys()])

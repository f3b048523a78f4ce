"""How far the rows of a window are from those that a model was calibrated on, by their features."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from shared.dataset.table import TableDataset
from workers.detection.drift_check import compared_columns
from workers.detection.matrix import as_numbers
from workers.detection.rows import Keys, read
from workers.detection.statistics import classifier_two_sample
from workers.estimation.density import Ratio, density_ratio
from workers.going_on import GoOn
from workers.loaded_model import LoadedModel

Rows = npt.NDArray[np.float64]  # (n, d)
Place = tuple[TableDataset, Keys]  # rows of a dataset


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """Two sets of rows and how they differ."""

    auc: float  # of telling them apart, by rows that were held out: .5 where nothing has moved
    ratio: Ratio | None  # how much each row of the reference counts where the window's are meant; None: not asked for


class Sets(msgspec.Struct, frozen=True):
    """The reference and the window as numbers, (n, d), (m, d): their columns; of images and texts, as the model sees
    them before its last layer.
    """

    x: Rows
    y: Rows

    @classmethod
    def of(cls, reference: Place, window: Place, model: LoadedModel) -> Sets:
        """Raises DataError for columns that are no numbers, ConfigurationError for a model without an embedding."""
        config = reference[0].config
        if config.image is None and config.text is None:
            columns = compared_columns(reference[0], [])
            x, y, _ = as_numbers(*(read(dataset, columns, keys) for dataset, keys in (reference, window)))
            return cls(x, y)
        return cls(
            *(model.embed(model.encode(read(one, model.columns, keys), keys)) for one, keys in (reference, window))
        )

    def shift(self, seed: int, go_on: GoOn, *, weighted: bool) -> Shift:
        """How they differ. Raises DataError where there are too few rows."""
        auc, _ = classifier_two_sample(self.x, self.y, seed=seed % 2**32, go_on=go_on)
        return Shift(auc=auc, ratio=density_ratio(self.x, self.y, go_on) if weighted else None)

"""What the training side needs of a dataset; `shared.dataset` provides it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from shared.config.system import Dataset

# Rows held decoded at once while streaming; it bounds memory. Pieces end at fixed rows of a file, and where files end:
# the last digits of means and deviations depend on that, and not on the pieces in which a file was found.
ROWS_ENCODED_AT_ONCE = 16_384


class SampleSource(Protocol):
    """A dataset by column and key. Tables are pyarrow.Table, in key order."""

    @property
    def config(self) -> Dataset:
        """Its entry of config.yaml."""

    @property
    def rows(self) -> int:
        """Rows that exist now."""

    @property
    def feature_columns(self) -> Sequence[str]:
        """The columns that a table's features come from."""

    def batches(
        self, columns: Sequence[str], first_key: int, stop_key: int, batch_rows: int
    ) -> Iterator[tuple[int, Any]]:
        """(first key, table) for consecutive stretches of [first_key, stop_key)."""

    def take_batches(self, columns: Sequence[str], keys: npt.NDArray[Any], batch_rows: int) -> Iterator[Any]:
        """Tables with the rows of `keys`, which ascend."""


class KeyPieces(Protocol):
    """Ascending keys, too many to be held at once: gone through piece by piece, as often as it takes."""

    @property
    def last_key(self) -> int:
        """Of all of them."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[npt.NDArray[np.int64]]: ...


def input_columns(source: SampleSource) -> tuple[str, ...]:
    """The columns that features are made of, for a table, an image or a text."""
    if source.config.image is not None:
        return (source.config.image.column,)
    if source.config.text is not None:
        return (source.config.text,)
    return tuple(source.feature_columns)

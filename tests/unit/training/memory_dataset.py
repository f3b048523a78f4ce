"""A dataset that is one table in memory, with the interface of the real one."""

from __future__ import annotations

import msgspec
import pyarrow as pa

from shared.config.system import Dataset, ImageColumn, Nulls


class MemoryDataset:
    """Rows of an Arrow table; the key of a row is its position."""

    def __init__(
        self,
        table: pa.Table,
        *,
        image: ImageColumn | None = None,
        text: str | None = None,
        time_features: tuple[str, ...] | None = None,
        **nulls: str | bool,
    ) -> None:
        self.table = table
        self.rows = table.num_rows
        self.feature_columns = tuple(name for name in table.column_names if name not in {"label", "time"})
        self.config = Dataset(
            name="flights",
            kind="table",
            uri="/data/flights.parquet",
            timestamp="time",
            unit=None,
            label="label",
            features=None,
            time_features=time_features,
            image=image,
            text=text,
            nulls=Nulls(**nulls),
        )

    def batches(self, columns, first_key, stop_key, batch_rows):
        """Consecutive stretches of [first_key, stop_key)."""
        for start in range(first_key, stop_key, batch_rows):
            yield start, self.table.slice(start, min(batch_rows, stop_key - start)).select(columns)

    def take_batches(self, columns, keys, batch_rows=65_536):
        """The rows of `keys`, in that order."""
        for start in range(0, len(keys), batch_rows):
            yield self.table.take(pa.array(keys[start : start + batch_rows])).select(columns)


def with_changes(value, **changes):
    """A frozen value with some fields changed."""
    return msgspec.structs.replace(value, **changes)

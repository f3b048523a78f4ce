"""A dataset on disk, what a detector sees of it, and the question that it is asked."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from shared.config.system import Dataset, Nulls
from shared.dataset.discovery import discover
from shared.dataset.table import open_dataset
from supervisor.triggers.drift.statistic import Statistic, options_of
from workers.detection.detector import Sight
from workers.detection.drift import Drift


def dataset_of(folder, columns, times_s=None, **config):
    """These columns in one Parquet file, a row a second."""
    (folder / "data").mkdir(parents=True)
    rows = len(next(iter(columns.values())))
    times_s = np.arange(rows) if times_s is None else times_s
    table = pa.table({"time": times_s, "label": np.zeros(rows, np.int64), **columns})
    pq.write_table(table, folder / "data" / "0.parquet")
    config = Dataset(
        **{
            "name": "rows", "kind": "table", "uri": f"{folder}/data", "timestamp": "time", "unit": "s",
            "label": "label", "features": None, "image": None, "text": None, "nulls": Nulls(), **config,
        }
    )  # fmt: skip
    return open_dataset(config, discover(config, str(folder)))


def sees(dataset, key=0, *, model=None, seed=0):
    """What a detector sees."""
    return Sight(
        key=key, timestamp_us=0, dataset=dataset, pipeline=None, model=model,
        model_trigger=None if model is None else 3, seed=seed,
    )  # fmt: skip


def answered(sight, reference, current, *statistics, **options):
    """The detector's answer to a question about two ranges, which JSON can hold."""
    how = {"space": "input", "ignore": [], "pca": None, "most_rows": 20_000, **options}
    statistics = [options_of(Statistic().load(one)) for one in statistics]
    ranges = [
        one if isinstance(one, dict) else dict(zip(("first_key", "last_key"), one, strict=True))
        for one in (reference, current)
    ]
    question = {"reference": ranges[0], "current": ranges[1], "statistics": statistics, **how}
    return msgspec.json.decode(msgspec.json.encode(Drift(question).answer(sight)))

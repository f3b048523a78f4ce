"""A dataset whose labels stand in a table of their own: folders for both, and the configuration that says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from workplace import Workplace

from shared.config.load import Configuration, load_configuration
from shared.config.system import Dataset
from shared.dataset.discovery import find
from shared.dataset.labels_table import labels_table
from shared.dataset.table import TableDataset, open_dataset

ROWS = b"timestamp,id,x\n2024-01-01,1,0.5\n2024-01-02,2,1.5\n"
LABELS = b"id,label,known_at\n1,0,2024-01-05\n2,1,2024-01-06\n"


class LateLabels:
    """Rows in `rows/`, labels in `labels/`, both below a workplace's folder."""

    def __init__(self, small: Workplace, *, experiment: bool = False, **changes: Any) -> None:
        self.place, self.folder, self.experiment = small, small.folder, experiment
        for name in ("rows", "labels"):
            (self.folder / name).mkdir()
        labels = {"uri": "labels", "key": ["id"], **changes}
        small.config["storage"]["datasets"]["rows"] = {"uri": "rows", "labels": labels}
        small.config["notification"] = {"every": "0.01s"}
        small.pipeline["data"] = {"dataset": "rows", "split": {"test": 0.2}}

    def configuration(self) -> Configuration:
        """Both files, as they are now."""
        self.place.write()
        files = (self.folder / "pipeline.yaml", self.folder / "config.yaml")
        return load_configuration(*files, experiment_mode=self.experiment)

    @property
    def config(self) -> Dataset:
        """Of the rows."""
        return self.configuration().system.datasets["rows"]

    @property
    def root(self) -> str:
        """Where manifests lie."""
        return str(self.folder / "runs")

    def write(self, name: str, content: bytes | dict[str, Any]) -> Path:
        """A file such as `labels/a.csv`: bytes, or a table as Parquet."""
        path = self.folder / name
        path.write_bytes(content) if isinstance(content, bytes) else pq.write_table(pa.table(content), path)
        return path

    def rows(self) -> TableDataset:
        """What of them fits, with keys."""
        return open_dataset(self.config, find(self.config, self.root, ()).entries)

    def labels(self) -> TableDataset:
        """What of them fits, with positions."""
        table = labels_table(self.config)
        return open_dataset(table, find(table, self.root, ()).entries)

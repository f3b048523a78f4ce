"""Whether the dataset of a replay that is finished has grown since: then there is nothing to resume, but more to do."""

from __future__ import annotations

import shutil
from contextlib import suppress

from shared.config.load import Configuration
from shared.config.system import Dataset
from shared.dataset.discovery import discover
from shared.dataset.labels_table import labels_table
from shared.dataset.manifest import copy_manifest
from shared.errors import DataError
from shared.temporary import private_folder


def grown_since(configuration: Configuration, rows: int, labels: int) -> str | None:
    """A sentence if there are more than so many rows now, or labels in a table of their own.

    They are given no keys: only a run makes these last for ever. What is wrong with the dataset is no concern of a run
    that is over.
    """
    root = configuration.system.artifacts_root
    config = configuration.system.datasets[configuration.pipeline.data.dataset]
    grown = {"rows": _more(config, root, rows)}
    if config.labels is not None:
        grown["labels"] = _more(labels_table(config), root, labels)
    told = " and ".join(f"{more:,} {what}" for what, more in grown.items() if more > 0)
    if not told:
        return None
    return (
        f"Dataset {config.name} has grown by {told} since. A new run replays all of it: leave out --resume, and name "
        "another --run-dir or none."
    )


def _more(table: Dataset, root: str, known: int) -> int:
    folder = private_folder("manifests")
    try:
        with suppress(DataError, OSError):
            copy_manifest(root, str(folder), table.name)
            entries = discover(table, str(folder))
            return (entries[-1].stop_key if entries else 0) - known
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0

"""Whether the dataset of a replay that is finished has grown since: then there is nothing to resume, but more to do."""

from __future__ import annotations

import shutil
from contextlib import suppress

from shared.config.load import Configuration
from shared.dataset.discovery import discover
from shared.dataset.manifest import copy_manifest
from shared.errors import DataError
from shared.temporary import private_folder


def grown_since(configuration: Configuration, rows: int) -> str | None:
    """A sentence if there are more than `rows` now. They are given no keys: only a run makes these last for ever.

    What is wrong with the dataset is no concern of a run that is over.
    """
    root, dataset = configuration.system.artifacts_root, configuration.pipeline.data.dataset
    folder = private_folder("manifests")
    try:
        with suppress(DataError, OSError):
            copy_manifest(root, str(folder), dataset)
            entries = discover(configuration.system.datasets[dataset], str(folder))
            more = (entries[-1].stop_key if entries else 0) - rows
            if more > 0:
                return (
                    f"Dataset {dataset} has grown by {more:,} rows since. A new run replays all of it: leave out "
                    "--resume, and name another --run-dir or none."
                )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return None

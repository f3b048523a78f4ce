"""Files that were given keys and are there, but that a dataset's `uri`, changed since, does not match any more."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from shared.config.load import Configuration
from shared.config.system import Dataset
from shared.config.yaml_source import read_yaml
from shared.dataset.listing import look, place_away
from shared.dataset.manifest import by_file, manifest_path, read_manifest
from shared.errors import ConfigurationError, NotReadyError
from supervisor.system.known_runs import known_runs

_LOOKED_FOR = 10  # a look at an object store takes its time


def refuse_changed_uri(configuration: Configuration, table: Dataset, keys: Sequence[str]) -> None:
    """Raise NotReadyError, naming the key, what it was and what it is, if such files are there. Raises DataError.

    `keys`: from `storage.datasets` on, those that lead to the table's `uri`.
    """
    root, uri = configuration.system.artifacts_root, table.uri
    found = look(uri)
    known = by_file([entry for entry in read_manifest(manifest_path(root, table.name)) if entry.rows])
    left_out = [file for file in known if file not in found.files and not place_away(file, found, uri)[0]]
    if not any(look(file).files for file in left_out[:_LOOKED_FOR]):  # they have vanished
        return
    path, others = ".".join(("storage.datasets", *keys)), len(left_out) - 1
    before = _uri_before(Path(root), keys, uri)
    raise NotReadyError(
        f"{configuration.system_source.where(path)}: {path}: is {uri}{f' and was {before}' if before else ''}: it no "
        f"longer matches {left_out[0]}{f' and {others} more' if others else ''}, whose rows have keys, which are for "
        "ever. Write it as it was, or give the dataset a new name: that begins with new keys."
    )


def _uri_before(root: Path, keys: Sequence[str], now: str) -> str | None:
    """What the newest run that had another uri wrote down, if there is one."""
    files = [run / "config.yaml" for run in known_runs(root) if (run / "config.yaml").is_file()]
    files.sort(key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files:
        try:
            written = reduce(operator.getitem, keys, read_yaml(file).written["storage"]["datasets"])
        except (ConfigurationError, KeyError, TypeError):
            continue
        if written != now:
            return str(written)
    return None

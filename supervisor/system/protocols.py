"""Whether a dataset's `uri` is one that this machine can open: fsspec knows many, and needs a package for most."""

from __future__ import annotations

from shared.config.load import Configuration
from shared.config.secrets import hide
from shared.errors import NotReadyError
from shared.filesystems import filesystem_of


def refuse_unknown_protocol(configuration: Configuration) -> None:
    """Raise NotReadyError, naming the key and what is missing, for a URI that no filesystem here is for."""
    name = configuration.pipeline.data.dataset
    dataset = configuration.system.datasets[name]
    _refuse_unknown(f"storage.datasets.{name}.uri", dataset.uri, configuration)
    if dataset.labels is not None:
        _refuse_unknown(f"storage.datasets.{name}.labels.uri", dataset.labels.uri, configuration)


def _refuse_unknown(path: str, uri: str, configuration: Configuration) -> None:
    try:
        filesystem_of(uri)
    except (ImportError, ValueError) as error:
        remedy = "Install that here and where workers run" if isinstance(error, ImportError) else "Write another one"
        where = configuration.system_source.where(path)
        raise NotReadyError(
            f"{where}: {path}: {hide(uri)} cannot be opened: {hide(str(error)).rstrip('.')}. {remedy}, or copy the "
            "files to a folder."
        ) from None

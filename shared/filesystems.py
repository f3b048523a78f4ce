"""Which filesystem a path or URI names."""

from __future__ import annotations

from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem


def filesystem_of(uri: str) -> tuple[Any, str]:
    """The filesystem, and the path there. An absolute path is one of this machine, whatever its name.

    Fsspec takes `::` within it for a chain of filesystems. Raises ValueError or ImportError for an unknown protocol.
    """
    if uri.startswith("/"):
        return fsspec.filesystem("file"), str(LocalFileSystem._strip_protocol(uri))
    filesystem, path = fsspec.core.url_to_fs(uri)
    return filesystem, str(path)

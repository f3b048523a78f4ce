"""What a path in a file means: relative to the file it stands in, `~` is the home folder."""

from __future__ import annotations

import os
from pathlib import Path


def absolute(uri: str, folder: Path) -> str:
    """A path from the root on, also where it is written as a `file://` URI; another URI as it is."""
    path = with_home(uri.removeprefix("file://"))
    return path if "://" in path or path.startswith("/") else str(folder / path)


def with_home(path: str) -> str:
    """`~` and `~/…` as a shell reads them; a name that only begins with `~` is a name."""
    return os.path.expanduser(path) if path == "~" or path.startswith("~/") else path

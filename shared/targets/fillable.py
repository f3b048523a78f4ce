"""Whether a folder can be made and filled as a target's is, tried in the nearest one that is there already."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_PREFIX, _SUFFIX = ".model.json.", ".tmp"  # of what a deployment that is killed leaves, which this process may be, too


def cannot_be_filled(folder: Path) -> str | None:
    """Why nothing could be written in a folder that is there, or is yet to be made; None if it could."""
    nearest = folder
    try:
        nearest = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
        if not nearest.is_dir():
            what = "a file" if nearest.exists() else "a link that leads nowhere"
            return f"{nearest} is {what}, where a folder is needed; name another folder, or take it away."
        with tempfile.NamedTemporaryFile(dir=nearest, prefix=_PREFIX, suffix=_SUFFIX) as file:
            return _cannot_be_linked(Path(file.name))
    except OSError as error:
        return f"{nearest} cannot be written in: {error.strerror}; mend the folder, or name another one."


def _cannot_be_linked(file: Path) -> str | None:
    """Decisions get their numbers by links, which not every file system has."""
    other = file.with_name(f"{file.name}{_SUFFIX}")
    try:
        os.link(file, other)
        other.unlink()
    except OSError as error:
        return f"the file system of {file.parent} makes no hard links ({error.strerror}); name a folder on another one."
    return None

"""Whether a folder can be made and written in, found out without leaving a trace of the trial."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def cannot_be_filled(folder: Path) -> str | None:
    """Why nothing could be written in a folder that is there, or is yet to be made; None if it could."""
    nearest = folder
    try:
        nearest = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
        if not nearest.is_dir():
            what = "a file" if nearest.exists() else "a link that leads nowhere"
            return f"{nearest} is {what}, where a folder is needed; name another folder, or take it away."
        with tempfile.TemporaryFile(dir=nearest):  # it has no name, so nobody sees it
            return None
    except OSError as error:
        return f"{nearest} cannot be written in: {error.strerror}; mend the folder, or name another one."

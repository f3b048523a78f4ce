"""A folder for what a task writes on the way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import ArtifactError
from shared.temporary import private_folder


@contextmanager
def scratch(what: str) -> Iterator[Path]:
    """It is named so that what a killed worker leaves is found. Raises ArtifactError if it cannot be made."""
    try:
        folder = private_folder(what)
    except OSError as error:
        raise ArtifactError(f"No temporary folder can be made: {error}. Make room there, then --resume.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

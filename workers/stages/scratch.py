"""A folder for what a task writes on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from shared.errors import ArtifactError
from shared.temporary import scratch_folder


@contextmanager
def scratch(what: str) -> Iterator[Path]:
    """It is named so that what a killed worker leaves is found. Raises ArtifactError if it cannot be made."""
    with ExitStack() as ends:
        try:
            folder = ends.enter_context(scratch_folder(what))
        except OSError as error:
            raise ArtifactError(f"No temporary folder can be made: {error}. Make room there, then --resume.") from error
        yield folder

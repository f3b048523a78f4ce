"""A file that an option of a command names, for what came of it: replaced when it is whole, and refused beforehand."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from shared.errors import ConfigurationError


class OutputFile(NamedTuple):
    """One, and the option that names it."""

    option: str
    path: Path

    def require(self) -> None:
        """Whether it can be written, to be asked before what it is about takes long. Raises ConfigurationError."""
        folder = self.path.parent
        if self.path.is_dir():
            raise self._unwritable("it is a folder")
        if not folder.is_dir():
            raise self._unwritable(f"there is no folder {folder}")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise self._unwritable(f"the folder {folder} is not yours to write in")

    def write(self, body: bytes) -> None:
        """All or nothing. Raises ConfigurationError if it cannot be written; what stood there still does then."""
        hidden = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            hidden.write_bytes(body)
            hidden.replace(self.path)
        except OSError as error:
            with suppress(OSError):
                hidden.unlink()
            raise self._unwritable(error.strerror) from None

    def _unwritable(self, why: str | None) -> ConfigurationError:
        remedy = "Name a file in a folder that exists and that you may write in."
        return ConfigurationError(f"{self.option} {self.path} cannot be written: {why}. {remedy}")

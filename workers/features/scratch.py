"""Rows of numbers in a file without a name: its space returns when this process ends, however it ends."""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.errors import ArtifactError


class ScratchTable:
    """Rows that are written one after the other, then read wherever they lie. The file goes with the last of both."""

    def __init__(self, folder: Path, dtype: npt.DTypeLike, width: int | None = None) -> None:
        """Rows of `width` numbers, or of one. Raises ArtifactError if no file can be made in the folder."""
        self._dtype, self._shape = np.dtype(dtype), () if width is None else (width,)
        self._row_bytes = self._dtype.itemsize * (1 if width is None else width)
        self._folder, self.rows = folder, 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder) as file:
                self._file = os.dup(file.fileno())
        except OSError as error:
            raise self._no_room(error) from error
        weakref.finalize(self, os.close, self._file)

    def append(self, rows: npt.NDArray[Any]) -> None:
        """The next rows, (n, width) or (n,). Raises ArtifactError if the disk is full."""
        left = _bytes_of(np.ascontiguousarray(rows, self._dtype))
        try:
            while left:  # written, not stored through a map: a full disk is then an error, not a SIGBUS
                left = left[os.write(self._file, left) :]
        except OSError as error:
            raise self._no_room(error) from error
        self.rows += len(rows)

    def read(self, first: int, stop: int) -> npt.NDArray[Any]:
        """The rows [first, stop), in memory of their own: pages of a map would count as this process's.

        Raises ArtifactError if the disk fails.
        """
        rows = np.empty((stop - first, *self._shape), self._dtype)
        left, at = _bytes_of(rows), first * self._row_bytes
        try:
            while left:
                read = os.preadv(self._file, [left], at)
                if not read:
                    raise OSError(f"it ends at byte {at}")
                left, at = left[read:], at + read
        except OSError as error:
            raise ArtifactError(
                f"A temporary file in {self._folder} cannot be read: {error}. Mend the disk, then --resume."
            ) from error
        return rows

    def mapped(self) -> npt.NDArray[Any]:
        """All rows, mapped; they outlive the table."""
        # Copy on write: torch wants writable memory, and nothing is ever written.
        pages = mmap.mmap(self._file, self.rows * self._row_bytes, access=mmap.ACCESS_COPY)
        return np.frombuffer(pages, self._dtype).reshape(self.rows, *self._shape)

    def _no_room(self, error: OSError) -> ArtifactError:
        return ArtifactError(
            f"The training set could not be written to {self._folder}: {error}. Make room there, then --resume."
        )


def _bytes_of(rows: npt.NDArray[Any]) -> memoryview:
    return rows.reshape(-1).view(np.uint8).data

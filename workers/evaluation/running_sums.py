"""A file of the sums up to each row, of values that come in pieces: any stretch of rows is two look-ups."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt


class RunningSums:
    """A .npy file, float64 (rows + 1,): item i is the sum of the first i. Whole when this context has been left."""

    def __init__(self, path: str, rows: int) -> None:
        """Raises OSError."""
        self._path, self._rows = path, rows
        self._sum, self._written = 0.0, 0

    def __enter__(self) -> RunningSums:
        self._file = open(self._path, "wb")
        header = {"descr": "<f8", "fortran_order": False, "shape": (self._rows + 1,)}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._file.write(np.zeros(1, "<f8").tobytes())
        return self

    def add(self, values: npt.NDArray[Any]) -> None:
        """The next rows'. Raises OSError."""
        if len(values):
            sums = np.cumsum(np.concatenate([[self._sum], values]), dtype="<f8")[1:]
            self._file.write(sums.tobytes())
            self._sum, self._written = float(sums[-1]), self._written + len(values)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        if kind is None:
            assert self._written == self._rows, "all rows have a value"

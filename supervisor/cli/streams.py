"""Standard output and error that outlive their reader: one that has had enough (`| head -3`) is no failure."""

from __future__ import annotations

import errno
import io
import os
import sys

_GONE = (errno.EPIPE, errno.EIO)  # a pipe without a reader, a terminal that was closed


class _Told(io.TextIOWrapper):
    """What is written after the reader has gone goes nowhere, without a word."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._forget(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._forget(error)

    def _forget(self, error: OSError) -> None:
        """What is still to be written, too, goes to nobody. Raises what else is wrong."""
        if error.errno not in _GONE:
            raise error
        nobody = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nobody, self.fileno())
        os.close(nobody)


def outlive_readers() -> None:
    """To be called once, before anything is opened: a stream that is closed already would lend its number to a file."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it takes the lowest number that is free
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115 - it stays open
        elif type(stream) is io.TextIOWrapper and stream.fileno() == number:
            setattr(sys, name, _outliving(stream))


def _outliving(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    ways = {"encoding": stream.encoding, "errors": stream.errors, "line_buffering": stream.line_buffering}
    write_through = stream.write_through
    return _Told(stream.detach(), **ways, write_through=write_through)  # type: ignore[arg-type]

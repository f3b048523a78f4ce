"""The text of a file: unpacked on the way if it is compressed, and in UTF-8 however it is encoded."""

from __future__ import annotations

import io
import re
import threading
from typing import Any

import pyarrow as pa

PACKED = ("", ".gz", ".bz2", ".zst")  # what the names of text files may end in
UTF_8 = ("utf-8", "utf8")
SAY_ENCODING = "if it is written in another encoding than UTF-8, say so below its dataset, such as `encoding: latin-1`"
_STARTS = {"gzip": rb"\x1f\x8b", "bz2": rb"BZh[1-9](1AY&SY|\x17rE8P)", "zstd": rb"\x28\xb5\x2f\xfd"}
_LONGEST_START = 10


_one_at_a_time = threading.Lock()


class _Cursor(io.RawIOBase):
    """A place of its own in a file, whoever else reads it: Arrow reads ahead, also what nobody waits for any more."""

    def __init__(self, file: Any) -> None:
        self._file, self._position = file, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes."""
        with _one_at_a_time:
            self._file.seek(self._position)
            found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        self._position += len(found)
        return len(found)


def is_packed(file: Any) -> bool:
    """Whether its first bytes say that it is compressed."""
    return _codec(file) is not None


def _codec(file: Any) -> str | None:
    start = _Cursor(file).read(_LONGEST_START) or b""
    return next((one for one, pattern in _STARTS.items() if re.match(pattern, start)), None)


def unpacked(file: Any, encoding: str) -> pa.NativeFile:
    """The text from its first byte on, which says how it is compressed."""
    codec = _codec(file)
    text = pa.PythonFile(_Cursor(file), "r")
    if codec is not None:
        text = pa.CompressedInputStream(text, codec)
    return text if encoding.lower() in UTF_8 else pa.transcoding_input_stream(text, encoding, "utf-8")

"""A local process that is asked and answers by lines over pipes: one question at a time, no broker between."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from supervisor.system.worker_process import PROJECT, how_it_ended, python_environment

_LAST_BYTES = 4096


class AskedProcess:
    """One process, which ends with whoever started it: on Linux with the thread that did."""

    def __init__(self, module: str, folders: Sequence[Path]) -> None:
        """`module`: of workers, to be started by `python -m`; `folders`: where the user's own modules lie."""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, "--parent-pid", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            cwd=PROJECT,
            env=python_environment(folders),
            start_new_session=True,  # Ctrl+C is for who started it
        )
        assert self._process.stdin is not None, "it is a pipe"
        assert self._process.stdout is not None, "it is a pipe"
        self._input: IO[bytes] = self._process.stdin
        self.output: IO[bytes] = self._process.stdout

    def tell(self, line: bytes) -> None:
        """Write a line. Raises BrokenPipeError if it has ended."""
        self._input.write(line + b"\n")
        self._input.flush()

    def answer(self) -> bytes | None:
        """The next line that it writes; None if it has ended."""
        line = self.output.readline()
        return line if line.endswith(b"\n") else None

    def how_it_ended(self) -> str:
        """How, once it has, and the last that it said; waits for it."""
        code = self._process.wait()
        self._said.seek(max(self._said.seek(0, os.SEEK_END) - _LAST_BYTES, 0))
        last = self._said.read().decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        return f"{how_it_ended(code)}: {last[0]}"

    def kill(self) -> None:
        """End it, wherever it stands; another thread that waits for its answer hears of that."""
        self._process.kill()

    def end(self) -> None:
        """End it, wherever it stands; nobody may wait for it."""
        self.kill()
        self._process.wait()
        for stream in (self._input, self.output, self._said):
            with suppress(BrokenPipeError):  # it did not read all that it was told
                stream.close()

"""A command that runs while a test watches what it says."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from queue import Empty, Queue
from types import TracebackType

import pytest
from workplace import PROJECT, Workplace, environment

from shared.broker import connect
from shared.fleet import read_fleet

_PATIENCE_S = 100.0  # by far too much, but where all cores are busy
_LOOK_EVERY_S = 0.05


class Running:
    """A started command; its standard error is read line by line. A context: it is ended with the test."""

    def __init__(self, command: list[str], **options: str) -> None:
        self.process = subprocess.Popen(
            command, cwd=PROJECT, env={**environment(), **options}, stderr=subprocess.PIPE, text=True
        )
        self.said: list[str] = []
        self._lines: Queue[str | None] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @classmethod
    def pipeline(cls, workplace: Workplace, *options: str, run_dir: str = "run") -> Running:
        """A run of the workplace's pipeline."""
        workplace.write()
        files = (str(workplace.folder / "pipeline.yaml"), str(workplace.folder / "config.yaml"))
        return cls(workplace.command("run", *files, "--run-dir", str(workplace.folder / run_dir), *options))

    def wait_for(self, text: str) -> str:
        """The next line that holds `text`."""
        while True:
            try:
                line = self._lines.get(timeout=_PATIENCE_S)
            except Empty:
                pytest.fail(f"has not said {text!r} for {_PATIENCE_S:.0f} s:\n{''.join(self.said)}")
            if line is None:
                pytest.fail(f"ended without saying {text!r}:\n{''.join(self.said)}")
            if text in line:
                return line

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait; the exit code."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; the exit code."""
        code = self.process.wait(timeout=_PATIENCE_S)
        self._reader.join()
        return code

    def __enter__(self) -> Running:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            self._lines.put(line)
        self._lines.put(None)


@contextmanager
def workers(cluster: Workplace, *roles: str, **options: str) -> Iterator[list[Running]]:
    """Workers started by hand that take tasks, one for each role named; `options` are variables of theirs."""
    config = str(cluster.folder / "config.yaml")
    with ExitStack() as stack:
        commands = [cluster.command("worker", config, "--role", role, "--device", "cpu") for role in roles]
        started = [stack.enter_context(Running(command, **options)) for command in commands]
        await_workers(cluster, *started)
        yield started


def await_workers(cluster: Workplace, *started: Running) -> None:
    """Return when all of these are in the registry: there a worker is once its child has loaded torch.

    A run waits 30 s for workers of others, which is less than several of them take to load it where all cores are busy.
    """
    give_up_s = time.monotonic() + _PATIENCE_S
    with connect(cluster.config["broker"]["url"]) as client:
        while missing := {one.process.pid for one in started} - {entry.pid for entry in read_fleet(client)}:
            ended = [one for one in started if one.process.poll() is not None]
            if ended or time.monotonic() > give_up_s:
                told = "".join(line for one in started for line in one.said)
                pytest.fail(f"of the workers started {len(missing)} are not there:\n{told}")
            time.sleep(_LOOK_EVERY_S)

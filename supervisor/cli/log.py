"""Where log lines go and what they look like: for people, or one JSON object a line. Times are UTC."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler
from rich.text import Text

from shared.config.pipeline import Logging
from shared.config.secrets import hide

_FIELDS = ("run", "event", "trigger", "task", "worker")  # of a record, where it has them
_TIME = "%H:%M:%S"
_DATE_AND_TIME = "%Y-%m-%dT%H:%M:%SZ"  # where a line may be read weeks later


class _JsonLines(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": self.formatTime(record, _DATE_AND_TIME),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "logger": record.name,
        }
        return json.dumps(said | {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)})


class _Discretion(logging.Filter):
    """What `${NAME}` of a file stands for is in no line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Put `${NAME}` in the place of its value."""
        record.msg, record.args = hide(record.getMessage()), ()
        return True


def set_up_logging(settings: Logging, log_format: str, quiet: bool, debug: bool) -> Console | None:
    """Log lines on standard error, unless `quiet` or configured otherwise; the console if that is a terminal."""
    root = logging.getLogger()
    root.setLevel("DEBUG" if debug else settings.level.upper())
    for noisy in ("celery", "kombu", "amqp"):
        logging.getLogger(noisy).setLevel("WARNING")
    if "terminal" not in settings.to or quiet:
        root.addHandler(logging.NullHandler())
        return None
    console = Console(stderr=True)
    if log_format == "human" and console.is_terminal:
        rich = RichHandler(console=console, show_path=False, show_level=False, log_time_format=_utc)
        rich.addFilter(lambda record: getattr(record, "event", "") != "progress")  # the live view shows progress
        rich.addFilter(_Discretion())
        root.addHandler(rich)
        return console
    handler = logging.StreamHandler()
    handler.setFormatter(_formatter(log_format, _TIME))
    handler.addFilter(_Discretion())
    root.addHandler(handler)
    return None


_WAITING_LINES = 10_000


class _RunFile(logging.Handler):
    """A log file in a run directory, which is made only once the run has passed its checks; lines wait until then."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__()
        self._folder, self._name = folder, name
        self._waiting: deque[logging.LogRecord] = deque(maxlen=_WAITING_LINES)
        self._file: FileIO | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self._waiting.append(record)
        try:
            self._write()
        except OSError:  # the disk is full, which the journal will say; the lines go out once there is room
            return

    def _write(self) -> None:
        if self._file is None and (self._folder / "pipeline.yaml").exists():
            self._file = (self._folder / self._name).open("ab", buffering=0)
        while self._file is not None and self._waiting:
            self._file.write(self.format(self._waiting[0]).encode() + b"\n")
            self._waiting.popleft()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


@contextmanager
def log_to_files(settings: Logging, folder: Path, log_format: str) -> Iterator[None]:
    """Log lines to the files of the run directory that the configuration names."""
    handlers = [_RunFile(folder, target.removeprefix("file:")) for target in settings.to if target.startswith("file:")]
    for handler in handlers:
        handler.setFormatter(_formatter(log_format, _DATE_AND_TIME))
        handler.addFilter(_Discretion())
        logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()


def _utc(local: datetime) -> Text:
    """As on all other lines, wherever the terminal stands."""
    return Text(local.astimezone(UTC).strftime(_TIME))


def _formatter(log_format: str, time_format: str) -> logging.Formatter:
    if log_format == "json":
        return _JsonLines()
    formatter = logging.Formatter("%(asctime)s %(message)s", time_format)
    formatter.converter = time.gmtime
    return formatter

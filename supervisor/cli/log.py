"""Where log lines go and what they look like: for people, or one JSON object a line."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import MemoryHandler
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler

from shared.config.pipeline import Logging


class _JsonLines(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        moment = self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ")
        return json.dumps({"time": moment, "level": record.levelname.lower(), "message": record.getMessage()})


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
        rich = RichHandler(console=console, show_path=False, show_level=False, log_time_format="%H:%M:%S")
        rich.addFilter(lambda record: not str(record.msg).startswith("…"))  # the live view shows progress
        root.addHandler(rich)
        return console
    handler = logging.StreamHandler()
    handler.setFormatter(_formatter(log_format))
    root.addHandler(handler)
    return None


@contextmanager
def log_to_files(settings: Logging, folder: Path, log_format: str) -> Iterator[None]:
    """Log lines to files of the run directory, which is made only once the run has passed its checks."""
    memories = []
    for name in (target.removeprefix("file:") for target in settings.to if target.startswith("file:")):
        memory = MemoryHandler(capacity=100_000, flushLevel=logging.CRITICAL + 1)
        logging.getLogger().addHandler(memory)
        memories.append((memory, name))
    try:
        yield
    finally:
        for memory, name in memories:
            if folder.is_dir():
                handler = logging.FileHandler(folder / name)
                handler.setFormatter(_formatter(log_format))
                memory.setTarget(handler)
            memory.close()
            logging.getLogger().removeHandler(memory)


def _formatter(log_format: str) -> logging.Formatter:
    if log_format == "json":
        return _JsonLines()
    formatter = logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S")
    formatter.converter = time.gmtime
    return formatter

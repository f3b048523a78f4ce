"""Every log line of a session says which run it is of, whoever writes it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from shared.ids import RunId


class _RunField(logging.Filter):
    def __init__(self, run_id: RunId) -> None:
        super().__init__()
        self._run_id = run_id

    def filter(self, record: logging.LogRecord) -> bool:
        record.run = self._run_id
        return True


@contextmanager
def lines_of(run_id: RunId) -> Iterator[None]:
    """Inside, lines carry the field `run`, wherever they go (`--log-format json`)."""
    field, handlers = _RunField(run_id), list(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(field)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(field)

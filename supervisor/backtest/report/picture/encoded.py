"""The picture as a file's bytes, the same each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supervisor.backtest.report.picture.figure import figure_of
from supervisor.compare.picture.encoded import Kind, as_bytes


def encoded(content: Mapping[str, Any], kind: Kind) -> bytes:
    """Draw it."""
    return as_bytes(lambda: figure_of(content), kind)

"""`--plot FILE` of a back-test, SVG or PNG. matplotlib is loaded only when a picture is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from supervisor.compare.plot import draw


def plot(content: Mapping[str, Any], path: Path) -> None:
    """Draw what each policy scores by how often it trains, beside the best schedules.

    What stood there is replaced when the picture is whole. Raises what supervisor.compare.plot.require_plot does.
    """
    draw(content, path, _of_backtests)


def _of_backtests() -> ModuleType:
    from supervisor.backtest.report.picture import encoded  # noqa: PLC0415 - takes a second, and may not be installed

    return encoded

"""The picture as a file's bytes, the same each time."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any, Literal

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from supervisor.compare.picture.figure import figure_of
from supervisor.compare.picture.settings import settings

Kind = Literal["svg", "png"]
_CANVASES = {"svg": FigureCanvasSVG, "png": FigureCanvasAgg}
_UNTOLD = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
_DOTS_PER_IN = 160
_PAD_IN = 0.15


def encoded(content: Mapping[str, Any], kind: Kind) -> bytes:
    """Draw a comparison."""
    return as_bytes(lambda: figure_of(content), kind)


def as_bytes(draw: Callable[[], Figure], kind: Kind) -> bytes:
    """What is drawn by our settings. Text of an SVG is text, which its reader may have in another font."""
    file = io.BytesIO()
    with settings():
        canvas = _CANVASES[kind](draw())
        canvas.print_figure(
            file, format=kind, dpi=_DOTS_PER_IN, bbox_inches="tight", pad_inches=_PAD_IN, metadata=_UNTOLD[kind]
        )
    return file.getvalue()

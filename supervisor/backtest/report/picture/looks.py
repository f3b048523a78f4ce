"""How wide the picture is, and its colours, which the colour-blind tell apart."""

from __future__ import annotations

from typing import Any

WIDTH_IN, HEIGHT_IN = 7.5, 4.8  # of the axes; the legend stands beside them
COLOURS = {"policy": "#0072B2", "least": "#D55E00", "calendar": "#000000"}
MARKERS: dict[str, dict[str, Any]] = {
    "policy": {"marker": "o", "markersize": 5, "markeredgewidth": 0},
    "least": {"marker": "D", "markersize": 5, "markeredgewidth": 0},
    "calendar": {"marker": "s", "markersize": 8, "fillstyle": "none"},  # around a policy that does the same
}
FRONTIER, GUESS, COST, SOFT = "#009E73", "#000000", "#888888", "#555555"

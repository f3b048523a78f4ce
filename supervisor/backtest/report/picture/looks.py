"""How wide the picture is, and its colours, which the colour-blind tell apart."""

from __future__ import annotations

WIDTH_IN, HEIGHT_IN = 7.5, 4.8  # of the axes; the legend stands beside them
COLOURS = {"policy": "#0072B2", "least": "#D55E00", "calendar": "#000000"}
MARKERS = {"policy": "o", "least": "D", "calendar": "s"}
FRONTIER, GUESS, COST, SOFT = "#009E73", "#000000", "#888888", "#555555"

"""Names beside the points, and along the lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from supervisor.backtest.report.picture import words
from supervisor.backtest.report.picture.labels import Box, place_labels
from supervisor.backtest.report.picture.looks import COLOURS, HEIGHT_IN, WIDTH_IN
from supervisor.backtest.report.picture.points import Drawn, EqualCost, Level, Point

_WIDTH, _HEIGHT = WIDTH_IN * 72, HEIGHT_IN * 72  # of the axes, in points
_NAME_SIZE, _LEVEL_SIZE = 7.5, 8
_MOST_NAMES = 40
_DOT = 5.0  # from a point's middle to where its marker ends


def write_names(axes: Axes, drawn: Drawn, costs: Sequence[EqualCost]) -> int:
    """Write names beside points and levels; how many points have none for want of room."""
    together = _together(drawn.points)
    named = together[:_MOST_NAMES]
    spots = _places(axes, [(one[0].trainings, one[0].mean) for one in together])
    texts = [words.point_names([point.name for point in points]) for points in named]
    sizes = [_size(text) for text in texts]
    dots, levels = [Box(x, y, x, y).grown(_DOT) for x, y in spots], list[Box]()
    for level in drawn.levels:
        levels.append(_level_name(axes, level, dots, levels))
    room = Box(2, 2, _WIDTH - 2, _HEIGHT - 2)
    placed = place_labels(spots, sizes, room, levels, _line_boxes(axes, drawn, costs))
    for (*_, one), text, label in zip(named, texts, placed, strict=False):
        if label is None:
            continue
        leader = {"arrowstyle": "-", "linewidth": 0.5, "color": "#999999", "shrinkA": 0.5, "shrinkB": 3.5}
        axes.annotate(
            text,
            (one.trainings, one.mean),
            (label.right, label.up),
            textcoords="offset points",
            size=_NAME_SIZE,
            color=COLOURS[one.kind],
            verticalalignment="bottom",
            arrowprops=leader if label.led else None,
            zorder=5,
        )
    return len(drawn.points) - sum(len(one) for one, label in zip(together, placed, strict=True) if label is not None)


def _together(points: Sequence[Point]) -> list[list[Point]]:
    """Points that are one; calendars first, as these are always named, and then the least costly policies."""
    found: dict[tuple[int, float], list[Point]] = {}
    for one in sorted(points, key=lambda one: one.kind != "calendar"):
        found.setdefault((one.trainings, one.mean), []).append(one)
    return [sorted(together, key=lambda one: one.kind == "least") for together in found.values()]


def _places(axes: Axes, spots: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """In points from the lower left corner of the axes."""
    fractions = axes.transAxes.inverted().transform(axes.transData.transform(spots))
    return [(float(x) * _WIDTH, float(y) * _HEIGHT) for x, y in fractions]


def _size(text: str) -> tuple[float, float]:
    """Width and height of a name, in points."""
    renderer = RendererAgg(1, 1, 72)
    width, height, _ = renderer.get_text_width_height_descent(text, FontProperties(size=_NAME_SIZE), False)
    return float(width) + 1, max(float(height), _NAME_SIZE) + 1


def _level_name(axes: Axes, level: Level, dots: Sequence[Box], taken: Sequence[Box]) -> Box:
    """Write it above its line or below it, at the left if there is room; the room that it takes.

    `dots`, `taken`: what it had better not cover: points and other names.
    """
    text = f"{level.name} {level.mean:.4f}"
    width, height = (one * _LEVEL_SIZE / _NAME_SIZE for one in _size(text))
    _, y = _places(axes, [(axes.get_xlim()[1], level.mean)])[0]
    lefts = 4, _WIDTH - 4 - width, (_WIDTH - width) / 2, _WIDTH / 4 - width / 2, _WIDTH * 3 / 4 - width / 2
    boxes = [Box(left, y + up, left + width, y + up + height) for left in lefts for up in (2, -2 - height)]
    inside = [one for one in boxes if one.bottom >= 0 and one.top <= _HEIGHT] or boxes[:1]
    box = next((one for one in inside if not any(map(one.overlaps, [*dots, *taken]))), inside[0])
    axes.annotate(
        text,
        (0, level.mean),
        (box.left, box.bottom - y),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        size=_LEVEL_SIZE,
        verticalalignment="bottom",
    )
    return box


def _line_boxes(axes: Axes, drawn: Drawn, costs: Sequence[EqualCost]) -> list[Box]:
    """Thin boxes along the steps, levels and lines of equal cost."""
    found = []
    ends = [*drawn.steps, (axes.get_xlim()[1], drawn.steps[-1][1])] if drawn.steps else []
    spots = _places(axes, ends) if ends else []
    for (left, height), (right, next_height) in zip(spots, spots[1:], strict=False):
        found += [Box(left, height - 1, right, height + 1)]
        found += [Box(right - 1, min(height, next_height), right + 1, max(height, next_height))]
    for level in drawn.levels:
        _, y = _places(axes, [(axes.get_xlim()[1], level.mean)])[0]
        found.append(Box(0, y - 1, _WIDTH, y + 1))
    for one in costs:
        found += [Box(x, y, x, y).grown(1) for x, y in _places(axes, list(zip(*curve(axes, one), strict=True)))]
    return found


def curve(axes: Axes, one: EqualCost) -> tuple[list[float], list[float]]:
    """Trainings and means of equal cost, from one side of the axes to the other."""
    left, right = axes.get_xlim()
    trainings = np.linspace(max(left, 0), right, 400).tolist()
    return trainings, [one.at(count) for count in trainings]

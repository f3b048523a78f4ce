"""Where the points' names stand, so that none covers another, or a point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_ANGLES = 16
_DISTANCES = (6.5, 10, 14, 20, 28, 38, 50, 64, 80, 100, 125, 155)  # points of the nearest edge from the point
_ON_LINE = 14.0  # as much worse as standing so many points farther away
_THROUGH = 60.0  # likewise, where the line to it leads through something
_APART = 1.5
_STEEP = 0.3  # cosine of an angle: a name above or below may stand in the middle, or to either side


class Box(NamedTuple):
    """In points from the lower left corner of the axes."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: Box) -> bool:
        """Whether they have room in common."""
        apart = self.right <= other.left or other.right <= self.left
        return not (apart or self.top <= other.bottom or other.top <= self.bottom)

    def within(self, other: Box) -> bool:
        """Whether it lies in the other."""
        inside = other.left <= self.left and self.right <= other.right
        return inside and other.bottom <= self.bottom and self.top <= other.top

    def grown(self, by: float) -> Box:
        """To each side."""
        return Box(self.left - by, self.bottom - by, self.right + by, self.top + by)


class Label(NamedTuple):
    """The lower left corner of a name, in points from its point, and whether a line leads to it."""

    right: float
    up: float
    led: bool


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    room: Box,
    taken: Sequence[Box],
    lines: Sequence[Box],
) -> list[Label | None]:
    """Where each name of a size goes; None where there is no room.

    `taken`: what no name may cover, beside points and other names; `lines`: what it had better not cover. Those in the
    thickest crowd choose first.
    """
    dots = [Box(x, y, x, y).grown(4.5) for x, y in points]
    found: list[Label | None] = [None] * len(points)
    boxes = list(taken)
    for number in sorted(range(len(sizes)), key=lambda one: (-_crowd(points, one), one)):
        x, y = points[number]
        others = [dot for place, dot in enumerate(dots) if points[place] != points[number]]
        best, least = None, math.inf
        for distance, box in _tried(x, y, *sizes[number]):
            if distance >= least or not box.within(room):
                continue
            near = box.grown(_APART)
            if any(near.overlaps(one) for one in boxes) or any(near.overlaps(one) for one in others):
                continue
            cost = distance + _ON_LINE * any(box.overlaps(one) for one in lines)
            cost += _THROUGH * _crosses((x, y), box, [*others, *boxes])
            if cost < least:
                best, least = Label(box.left - x, box.bottom - y, distance > _DISTANCES[1]), cost
        found[number] = best
        if best is not None:
            left, bottom = x + best.right, y + best.up
            boxes.append(Box(left, bottom, left + sizes[number][0], bottom + sizes[number][1]))
            if best.led:
                boxes += [spot for spot in _spots((x, y), boxes[-1]) if not spot.overlaps(boxes[-1])]
    return found


def _crowd(points: Sequence[tuple[float, float]], number: int) -> int:
    x, y = points[number]
    return sum(abs(x - other) < 60 and abs(y - height) < 30 for other, height in points)


def _tried(x: float, y: float, width: float, height: float) -> Iterator[tuple[float, Box]]:
    """Boxes around a point, to the right first, and how far away they are."""
    for distance in _DISTANCES:
        for step in range(_ANGLES):
            turn = (step + 1) // 2 * (1 if step % 2 else -1)
            angle = 2 * math.pi * turn / _ANGLES
            along, up = math.cos(angle), math.sin(angle)
            bottom = y + up * (distance + height / 2) - height / 2
            edge = x + along * distance
            aligned = (edge if along > 0 else edge - width,)
            for left in aligned if abs(along) > _STEEP else (x - width / 2, x - distance, x + distance - width):
                yield distance + 0.1 * step, Box(left, bottom, left + width, bottom + height)


def _crosses(point: tuple[float, float], box: Box, others: Sequence[Box]) -> bool:
    """Whether a line from the point to the middle of the box leads through something."""
    return any(
        spot.overlaps(one) and not spot.overlaps(box) and not _holds(one, point)
        for spot in _spots(point, box)
        for one in others
    )


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box.left <= point[0] <= box.right and box.bottom <= point[1] <= box.top


def _spots(point: tuple[float, float], box: Box) -> list[Box]:
    """Along the line from the point to the middle of the box."""
    to = ((box.left + box.right) / 2, (box.bottom + box.top) / 2)
    parts = max(2, round(math.dist(point, to) / 4))
    spots = [
        tuple(start + (end - start) * part / parts for start, end in zip(point, to, strict=True))
        for part in range(1, parts)
    ]
    return [Box(x, y, x, y).grown(0.5) for x, y in spots]

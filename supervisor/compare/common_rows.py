"""The rows that all runs scored, and what of each run's windows lies in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.messages.rescore import KeyRange, Mask
from supervisor.compare.ranges import both, in_all
from supervisor.compare.scored_run import Window


class Part(NamedTuple):
    """What all runs scored of a window."""

    window: Window
    ranges: tuple[KeyRange, ...]  # within its keys, at least one
    cut: bool  # rows of it are missing, so that its journaled scores are of other rows


class CommonRows(NamedTuple):
    """Rows that all runs scored: those in `ranges` that are in every one of `masks`."""

    ranges: tuple[KeyRange, ...]
    masks: tuple[Mask, ...]
    parts: tuple[tuple[Part, ...], ...]  # of each run, by trigger

    @property
    def cut(self) -> list[tuple[int, Part]]:
        """Run and window, of those that have to be scored anew."""
        return [(number, part) for number, parts in enumerate(self.parts) for part in parts if part.cut]


def common_rows(windows: Sequence[Sequence[Window]], masks: Sequence[Mask | None]) -> CommonRows:
    """Cut the windows of each run to what all of them scored; `masks`: each run's split, None for all rows.

    Where runs score other splits, every window is cut: the rows that count are in all of these.
    """
    ranges = in_all([[window.keys for window in own] for own in windows])
    several = any(mask != masks[0] for mask in masks)
    parts = tuple(tuple(_parts(own, ranges, cut=several)) for own in windows)
    return CommonRows(tuple(ranges), tuple(dict.fromkeys(mask for mask in masks if mask is not None)), parts)


def _parts(windows: Sequence[Window], ranges: Sequence[KeyRange], *, cut: bool) -> list[Part]:
    found = ((window, tuple(both([window.keys], ranges))) for window in windows)
    return [Part(window, left, cut or left != (window.keys,)) for window, left in found if left]

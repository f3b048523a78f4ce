"""As of when labels are read that stand in a table of their own."""

from __future__ import annotations

import msgspec


class AsOf(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the labels: of a row's several the last that was known by then counts."""

    event_time_us: int | None  # labels with a later `known_at` are not known; None: all are
    position: int | None  # rows of the labels' table from here on were not found yet; None: all that there are were


FINAL = AsOf(event_time_us=None, position=None)

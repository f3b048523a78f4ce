"""What is known of the labels, and when: part of each message whose task reads labels of a table of their own."""

from __future__ import annotations

import msgspec


class AsOf(msgspec.Struct, frozen=True, kw_only=True):
    """Which label rows count. `AsOf(event_time_us=None, position=None)` are all that were found: final labels."""

    event_time_us: int | None  # labels with a later `known_at` are not known yet; None: all are
    position: int | None  # label rows from this position on were not found yet; None: all were


FINAL = AsOf(event_time_us=None, position=None)

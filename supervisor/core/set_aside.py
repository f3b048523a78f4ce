"""Rows that are not as expected: which are set aside, so that no selection has them, and who releases them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from shared.messages.tasks import KeyRange
from supervisor.core.notices import RowsNotAsExpected, RowsReleased
from supervisor.core.seen import Fired, Violated
from supervisor.core.step import Effect
from supervisor.core.stream import SetAside, Stream


def note_violations(violations: Iterable[Violated], stream: Stream) -> tuple[Stream, list[Effect]]:
    """The stream with these rows set aside, unless they are only told of."""
    told: list[Effect] = []
    for one in violations:
        told.append(RowsNotAsExpected(violated=one))
        if one.on_violation != "alert":
            stream = _with(stream, (*stream.set_aside, SetAside(violated=one)))
    return stream, told


def release(fired: Fired, stream: Stream) -> tuple[Stream, list[Effect]]:
    """The stream with what is held released by a trigger by hand; others release nothing."""
    held = [one for one in stream.set_aside if one.is_held]
    if not fired.by_hand or not held:
        return stream, []
    rows = sum(one.violated.last_key - one.violated.first_key + 1 for one in held)
    now = [msgspec.structs.replace(one, released_by=fired.id) if one.is_held else one for one in stream.set_aside]
    return _with(stream, tuple(now)), [RowsReleased(trigger_id=fired.id, rows=rows)]


def without(ranges: Sequence[KeyRange], others: Sequence[KeyRange]) -> tuple[KeyRange, ...]:
    """What of ranges is in none of the others; all are ascending and apart. O(both)."""
    found, rest = [], list(others)
    for first, last in ranges:
        while rest and rest[0][1] < first:
            rest.pop(0)
        for start, stop in rest:
            if start > last:
                break
            if start > first:
                found.append((first, start - 1))
            first = stop + 1
        if first <= last:
            found.append((first, last))
    return tuple(found)


def _with(stream: Stream, set_aside: tuple[SetAside, ...]) -> Stream:
    left_out: list[KeyRange] = []
    for one in set_aside:  # they come in key order
        if one.released_by is not None:
            continue
        first, last = one.violated.first_key, one.violated.last_key
        if left_out and left_out[-1][1] + 1 == first:
            first, _ = left_out.pop()
        left_out.append((first, last))
    return msgspec.structs.replace(stream, set_aside=set_aside, left_out=tuple(left_out))

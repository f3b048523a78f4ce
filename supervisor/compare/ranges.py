"""Ranges of keys: what several have in common. All lists ascend, and their ranges are apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

from shared.messages.rescore import KeyRange


def joined(ranges: Iterable[KeyRange]) -> list[KeyRange]:
    """The same keys in as few ranges as there can be, whatever the order and overlap of those given."""
    found: list[KeyRange] = []
    for one in sorted(ranges, key=lambda one: one.first_key):
        if found and one.first_key <= found[-1].last_key + 1:
            found[-1] = KeyRange(first_key=found[-1].first_key, last_key=max(found[-1].last_key, one.last_key))
        else:
            found.append(one)
    return found


def both(some: Sequence[KeyRange], others: Sequence[KeyRange]) -> list[KeyRange]:
    """The keys that are in both. O(ranges)."""
    found: list[KeyRange] = []
    here = there = 0
    while here < len(some) and there < len(others):
        first_key = max(some[here].first_key, others[there].first_key)
        last_key = min(some[here].last_key, others[there].last_key)
        if first_key <= last_key:
            found.append(KeyRange(first_key=first_key, last_key=last_key))
        if some[here].last_key < others[there].last_key:
            here += 1
        else:
            there += 1
    return found


def in_all(lists: Sequence[Sequence[KeyRange]]) -> list[KeyRange]:
    """The keys that are in every one of at least one list, whose ranges may touch or overlap."""
    return reduce(both, map(joined, lists))


def keys_in(ranges: Iterable[KeyRange]) -> int:
    """How many keys there are in ranges that are apart."""
    return sum(one.last_key - one.first_key + 1 for one in ranges)

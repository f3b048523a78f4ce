"""Rows that are not as expected, as people and summary.json are told of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from supervisor.core.seen import Violated
from supervisor.core.stream import SetAside

_DONE = {
    "hold": "trigger held at key {key}: {why}; rows {rows} are set aside until a trigger by hand has them",
    "skip": "trigger skipped at key {key}: {why}; rows {rows} are set aside, and never trained on",
    "alert": "rows {rows} are not as expected, and are trained on: {why}",
}


def not_as_expected(found: Violated) -> str:
    """What is wrong, and what is done about it."""
    rows = f"{found.first_key} to {found.last_key}"
    return _DONE[found.on_violation].format(key=found.last_key, rows=rows, why=found.why)


def listed(set_aside: Iterable[SetAside]) -> list[dict[str, Any]]:
    """`set_aside` of summary.json."""
    return [
        {
            "first_key": one.violated.first_key,
            "last_key": one.violated.last_key,
            "on_violation": one.violated.on_violation,
            "why": one.violated.why,
            "released_by": one.released_by,
        }
        for one in set_aside
    ]

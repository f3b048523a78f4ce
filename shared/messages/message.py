"""What every message is built of, and how it becomes text: small JSON."""

from __future__ import annotations

import msgspec


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A message, or part of one. Ids, ranges, URIs and hashes; never data, weights or code."""


def encode(message: msgspec.Struct) -> str:
    """A message as JSON text."""
    return msgspec.json.encode(message).decode()

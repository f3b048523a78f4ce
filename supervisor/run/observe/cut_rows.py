"""Tells of rows that were given keys before their line had its end, and went on: they stay what they were."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from shared.config.secrets import hide
from shared.dataset.manifest import ManifestEntry

log = logging.getLogger(__name__)


def tell_cut(entries: Sequence[ManifestEntry], known: int) -> None:
    """Warn of each that an entry behind the first `known` ones shows: it does not begin where the one before ended."""
    last = {entry.file: entry for entry in entries[:known] if entry.rows}
    for entry in entries[known:]:
        before = last.get(entry.file)
        if before is not None and entry.first_byte > before.size_bytes:
            row, cut_bytes = before.first_row + before.rows, entry.first_byte - before.size_bytes
            log.warning(
                "! row %d of %s (key %d) went on after it had counted as whole, when nobody had written to the file "
                "for a while: its last %d bytes are not read. Write a line's end with the line.",
                row,
                hide(entry.file),
                before.stop_key - 1,
                cut_bytes,
            )
        if entry.rows:
            last[entry.file] = entry

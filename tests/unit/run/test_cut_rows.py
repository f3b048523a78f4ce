"""Rows that counted before their line had its end are told."""

from __future__ import annotations

import pytest

from shared.dataset.manifest import ManifestEntry
from supervisor.run.observe.cut_rows import tell_cut


def piece(file: str, first_key: int, first_row: int, first_byte: int, size_bytes: int) -> ManifestEntry:
    """Two rows of a log."""
    of = {"first_key": first_key, "first_row": first_row, "first_byte": first_byte, "size_bytes": size_bytes}
    return ManifestEntry(file=file, rows=2, fingerprint="", **of)


def test_a_row_that_went_on_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """With row, key and how much is not read, at the look that finds what is behind; pieces that adjoin are not."""
    whole = [piece("a.csv", 0, 0, 0, 20), piece("b.csv", 2, 0, 0, 20), piece("a.csv", 4, 2, 20, 40)]
    tell_cut(whole, 0)
    assert caplog.messages == []
    found = [*whole, piece("a.csv", 6, 4, 43, 60), piece("b.csv", 8, 2, 20, 40)]
    tell_cut(found, 3)
    (told,) = caplog.messages
    assert "row 4 of a.csv (key 5) went on after it had counted" in told
    assert "its last 3 bytes are not read" in told
    tell_cut(found, 5)
    assert len(caplog.messages) == 1

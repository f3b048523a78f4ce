"""Errors are sentences, however many there are of them."""

from __future__ import annotations

import pytest

from shared.errors import ConfigurationError, DataError, ModynError, NotReadyError, PlaceError


@pytest.mark.parametrize("kind", [ConfigurationError, NotReadyError, DataError, PlaceError])
def test_several_sentences_are_lines(kind: type[ModynError]) -> None:
    """Nobody sees how Python writes a tuple; what a terminal would obey is marked."""
    error = kind("a.csv is gone.", "b\x1b[2J.csv is gone.")
    assert error.problems == ("a.csv is gone.", "b\N{REPLACEMENT CHARACTER}[2J.csv is gone.")
    assert str(error) == "\n".join(error.problems)

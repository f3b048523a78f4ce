"""What comes from files of others is shown in what a terminal can print."""

from __future__ import annotations

import pytest

from shared.errors import ConfigurationError, DataError, ModynError, NotReadyError
from shared.printable import printable


def test_bytes_that_are_no_text() -> None:
    """Marks stand for them, on one line that is not too long."""
    assert printable("a\x00\x1b[31mb\u202e") == "a��[31mb�"
    assert printable("größe\n\tx") == "größe  x"
    assert len(printable("x" * 10_000)) < 500


@pytest.mark.parametrize("kind", [DataError, ConfigurationError, NotReadyError])
def test_no_error_holds_any(kind: type[ModynError]) -> None:
    """Whoever raises it, and whoever shows it; sentences stay apart."""
    error = kind("a\x1b[31m is wrong.\nMend it.")
    assert str(error) == "a�[31m is wrong.\nMend it."
    assert getattr(error, "problems", (str(error),)) == (str(error),)

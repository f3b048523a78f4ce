"""Where commands print their tables."""

from __future__ import annotations

import sys

from rich.console import Console

_WIDE = 200  # columns, where nobody's window sets a limit


def table_console() -> Console:
    """Standard output. Piped, a table is as wide as it needs to be: a cell that is cut short is of no use to grep."""
    return Console(width=None if sys.stdout.isatty() else _WIDE)

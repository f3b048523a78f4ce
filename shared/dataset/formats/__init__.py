"""How the rows of a file are written: a module a format, and the table in shared/plugins.py that names them."""

from __future__ import annotations

from shared.dataset.formats.format import Format
from shared.plugins import FORMATS

_OTHERWISE = "parquet"  # of a name that says nothing


def format_of(name: str) -> Format:
    """The format that a file's name says. Raises ConfigurationError for one that cannot be imported."""
    for kind in FORMATS.values():
        if name.lower().endswith(kind.suffixes):
            return kind()  # type: ignore[no-any-return]
    return FORMATS[_OTHERWISE]()  # type: ignore[no-any-return]


def is_data(name: str) -> bool:
    """Whether a file in a folder is one of the dataset's, by its name."""
    return name.lower().endswith(tuple(suffix for kind in FORMATS.values() for suffix in kind.suffixes))

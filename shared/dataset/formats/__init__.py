"""How the rows of a file are written: a module a format, and the table in shared/plugins.py that names them.

A file's suffix says its format. Those of ours are ours; formats of other packages are asked about all other names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.dataset.formats.format import Format
from shared.errors import ConfigurationError
from shared.plugins import FORMATS, Plugins

_OTHERWISE = "parquet"  # of a name that says nothing


def format_of(name: str, formats: Plugins[Any] = FORMATS, options: Mapping[str, Any] | None = None) -> Format:
    """The format that a file's name says, with those of the options that it has.

    Raises ConfigurationError for one that cannot be used, or for two.
    """
    kind = formats[_format_named(name, formats) or _OTHERWISE]
    has = getattr(kind, "options", ())
    return kind(**{key: value for key, value in (options or {}).items() if key in has})  # type: ignore[no-any-return]


def is_data(name: str, formats: Plugins[Any] = FORMATS) -> bool:
    """Whether a file in a folder is one of the dataset's, by its name. Raises ConfigurationError as `format_of`."""
    return _format_named(name, formats) is not None


def suffixes_read(formats: Plugins[Any] = FORMATS) -> str:
    """The names of files that are data, for people."""
    found = [suffix for one in formats for suffix in _suffixes(one, formats)]
    bare = [suffix for suffix in found if not any(suffix != one and suffix.startswith(f"{one}.") for one in found)]
    packed = sorted({f".{suffix.rpartition('.')[2]}" for suffix in found if suffix not in bare})
    also = f" (text also in {', '.join(packed)})" if packed else ""
    return ", ".join(f"*{suffix}" for suffix in bare) + also


def titles(formats: Plugins[Any] = FORMATS) -> str:
    """The formats by name, for people."""
    *others, last = [kind.title for kind in formats.values()]
    return f"{', '.join(others)} and {last}"


def _format_named(name: str, formats: Plugins[Any]) -> str | None:
    others = (one for one in formats if one not in formats.own)
    return _claimant(name, formats.own, formats) or _claimant(name, others, formats)


def _claimant(name: str, among: Iterable[str], formats: Plugins[Any]) -> str | None:
    """Whose suffix the name has; the longest counts, and must be only one's."""
    claims = [(suffix, one) for one in among for suffix in _suffixes(one, formats) if name.lower().endswith(suffix)]
    longest = max((suffix for suffix, _ in claims), key=len, default="")
    found = sorted({one for suffix, one in claims if suffix == longest})
    if len(found) > 1:
        both = " and ".join(formats.describe(one) for one in found)
        raise ConfigurationError(f"{both} both read files named *{longest}. Uninstall one of them.")
    return found[0] if found else None


def _suffixes(one: str, formats: Plugins[Any]) -> tuple[str, ...]:
    suffixes = formats[one].suffixes
    if not isinstance(suffixes, tuple) or not all(isinstance(suffix, str) and suffix for suffix in suffixes):
        sentence = f"{formats.describe(one)} has suffixes = {suffixes!r}, which is no tuple of texts such as ('.csv',)."
        raise ConfigurationError(f"{sentence} Mend or uninstall it.")
    return tuple(suffix.lower() for suffix in suffixes)

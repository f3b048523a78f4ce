"""`--plot FILE`: what was found as a picture, SVG or PNG. matplotlib is loaded only when one is asked for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from shared.errors import ConfigurationError, NotReadyError
from shared.output_file import OutputFile

_OPTION = "--plot"
_KINDS = (".svg", ".png")


def plot(content: Mapping[str, Any], path: Path) -> None:
    """Draw the score of each run over event time, in the metric that they are sorted by.

    Raises what require_plot does.
    """
    draw(content, path, _of_comparisons)


def draw(content: Mapping[str, Any], path: Path, load: Callable[[], ModuleType]) -> None:
    """Have a module that needs matplotlib draw, which `load` imports: by `encoded(content, "svg" or "png")`.

    What stood there is replaced when the picture is whole. Raises what require_plot does.
    """
    kind = _kind(path)
    drawn: bytes = _drawing(load).encoded(content, kind)
    OutputFile(_OPTION, path).write(drawn)


def require_plot(path: Path) -> None:
    """Whether a picture can be made there, to be asked before a long comparison.

    Raises ConfigurationError if the suffix is another one or the file cannot be written, NotReadyError if there is no
    matplotlib here.
    """
    _kind(path)
    OutputFile(_OPTION, path).require()
    _drawing(_of_comparisons)


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in _KINDS:
        said = f"ends in {path.suffix}" if suffix else "has no suffix"
        raise ConfigurationError(f"{_OPTION} {path} {said}; name a file that ends in .svg or .png.")
    return suffix[1:]


def _of_comparisons() -> ModuleType:
    from supervisor.compare.picture import encoded  # noqa: PLC0415 - takes a second, and may not be installed

    return encoded


def _drawing(load: Callable[[], ModuleType]) -> ModuleType:
    """What draws. It tells what it does about fonts and settings, which is nothing to tell here."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        return load()
    except ImportError as error:
        remedy = 'Install the package with its extra: pip install ".[plot]".'
        raise NotReadyError(f"{_OPTION} needs matplotlib, which cannot be imported here ({error}). {remedy}") from None

"""Whose error it is: what somebody's own code raised, and where in it, as a sentence for people."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import ModynError

_PROJECT = Path(__file__).parents[1]
_OURS = tuple(str(_PROJECT / name) for name in ("shared", "supervisor", "workers"))


def blame(error: BaseException) -> str:
    """Kind and message of an error, and the last line that is neither a library's nor ours, in one line."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_foreign(frame.filename)]
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    said = str(error).partition("\n")[0].rstrip(".")
    return f"{type(error).__name__}: {said}{place}" if said else f"{type(error).__name__}{place}"


@contextmanager
def blaming(who: str, kind: type[ModynError], *, but: type[Exception] = ModynError) -> Iterator[None]:
    """Somebody else's code runs in here: what it raises becomes an error of this kind that names `who`.

    `but`: what comes through it from ours, beside our errors, and is no fault of its own.
    """
    try:
        yield
    except (ModynError, but):
        raise
    except Exception as error:
        raise kind(f"{who} raised {blame(error)}.") from error


def _is_foreign(file: str) -> bool:
    """Whether a file is a library's, or ours."""
    return "site-packages" in file or file.startswith(("<", sys.base_prefix, *_OURS))

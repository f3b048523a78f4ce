"""What a run says of files that it cannot read, or that do not fit, in lines for people."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from supervisor.core.notices import FileNotRead, FileReadNow, MoreNotRead, Told
from supervisor.system.unread import not_read


def odd_files(told: Told) -> Iterator[tuple[int, str]]:
    """Lines with their level; none for what is no news of a file, or was said while the first rows were waited for."""
    match told:
        case FileNotRead():
            yield from not_read(told.file, told.sentence)
        case MoreNotRead():
            yield logging.WARNING, f"! {told.files} files are not read; not all of them are named"
        case FileReadNow():
            yield logging.INFO, f"{told.file} is read now: {told.rows:,} rows"

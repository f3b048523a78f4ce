"""What a run says of files that it cannot read, or that do not fit, in lines for people."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from supervisor.core.notices import FileNotRead, FileReadNow, MoreNotRead, NotInTheWay, Told
from supervisor.system.unread import Telling, not_read


def odd_files(told: Told, before: Telling) -> Iterator[tuple[int, str]]:
    """Lines with their level; none for what is no news of a file, or was said while the first rows were waited for."""
    match told:
        case FileNotRead():
            if not before.said_before_run(told.file, told.sentence):
                yield logging.WARNING, not_read(told.sentence)
        case MoreNotRead():
            yield logging.WARNING, f"! {told.files:,} files are not read; not all of them are named"
        case FileReadNow():
            yield logging.INFO, f"{told.file} is read now: {told.rows:,} rows"
        case NotInTheWay():
            yield logging.INFO, f"{told.file} is no longer in the way"

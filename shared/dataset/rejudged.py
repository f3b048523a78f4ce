"""Whether a manifest that was written anew, with other moments of discovery, judges a row's time otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from shared.config.system import Dataset
from shared.dataset.event_time import Horizon
from shared.dataset.manifest import ManifestEntry
from shared.dataset.table import open_dataset
from shared.errors import DataError
from shared.timestamps import format_timestamp

_ROWS_AT_ONCE = 262_144


def refuse_rejudged(config: Dataset, known: Sequence[ManifestEntry], now: Sequence[ManifestEntry], path: Path) -> None:
    """A row advances event time, or does not, for ever. Raises DataError for one that a run has judged otherwise.

    Both have the same keys. Only files are read whose moment of discovery is another one, which is seldom.
    """
    if tuple(known) == tuple(now[: len(known)]):
        return
    moved = [pair for pair in zip(known, now, strict=False) if pair[0].discovered_us != pair[1].discovered_us]
    if not moved:
        return
    before, after = Horizon(known, config.future_skew_s), open_dataset(config, now)
    for then, found in moved:
        for start in range(found.first_key, found.stop_key, _ROWS_AT_ONCE):
            stop = min(start + _ROWS_AT_ONCE, found.stop_key)
            times = after.timestamps_us(start, stop)
            otherwise = np.flatnonzero(
                (times > before.latest_us(start, stop)) != (times > after.latest_us(start, stop))
            )
            if len(otherwise):
                moment_us = int(times[otherwise[0]])
                raise DataError(
                    f"{path} says that {found.file} was found at {format_timestamp(found.discovered_us)}, and this run "
                    f"found it at {format_timestamp(then.discovered_us)}: with future_skew, key "
                    f"{start + int(otherwise[0])}, dated {format_timestamp(moment_us)}, would be judged otherwise than "
                    "it was. Remove that manifest and --resume: the run writes its own back."
                )

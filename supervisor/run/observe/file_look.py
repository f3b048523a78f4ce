"""One look at the files of a table that is followed: of a dataset's rows, or of their labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.config.system import Dataset
from shared.dataset.discovery import Found, find, first_with_rows
from shared.dataset.growth import Rest
from shared.dataset.judging import judge
from shared.dataset.key_columns import Other
from shared.dataset.manifest import ManifestEntry, manifest_path, refuse_moved_keys
from shared.dataset.table import TableDataset
from shared.errors import DataError, PlaceError
from supervisor.run.observe.cut_rows import tell_cut
from supervisor.run.observe.mended import tell_mended
from supervisor.system.unread import Telling

_PATIENCE_S = 5.0  # with another supervisor that looks; meanwhile nothing is heard


class Away(NamedTuple):
    """A place that cannot be looked into now."""

    uri: str
    error: PlaceError


class Look(NamedTuple):
    """What was found, or why nothing could be looked at."""

    entries: Sequence[ManifestEntry]  # of all rows that have keys
    found: Found | Away


def look_at_files(
    table: TableDataset,
    artifacts_root: str,
    groups: Sequence[str],
    rest: Rest,
    telling: Telling,
    beside: Other | None = None,
) -> Look:
    """The files of a table as they are now. `table`: as far as it was found before.

    Raises DataError for a file whose rows have keys and that is not as it was, or does not fit.
    """
    config, known = table.config, table.entries
    try:
        found = find(config, artifacts_root, groups, rest, _PATIENCE_S, beside)
    except PlaceError as error:  # it may be back at the next look
        return Look(known, Away(config.uri, error))
    telling.passed_over(config, found)
    refuse_moved_keys(known, found.entries, manifest_path(artifacts_root, config.name))
    tell_mended(known, found.entries)
    _refuse_unfit(config, len(known), found, groups, beside)
    tell_cut(found.entries, len(known))
    return Look(found.entries, found)


def _refuse_unfit(config: Dataset, known: int, found: Found, groups: Sequence[str], beside: Other | None) -> None:
    """Raise DataError for a file that got its keys by the look of a run to which other files fit."""
    first = first_with_rows(found.entries)
    for entry in found.entries[known : found.known]:
        is_first = first is not None and first.first_key == entry.first_key
        misfit = judge(entry, None if is_first else first, config, groups, beside)
        if misfit is not None:
            raise DataError(
                f"{entry.file} has keys, which another run gave it, and does not fit this one: "
                f"{' '.join(misfit.sentences)} Mend what this run wants of the dataset, or give it a dataset of "
                "another name in config.yaml: then each has keys of its own."
            )

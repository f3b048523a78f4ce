"""Looking for files: those not known yet are judged, those that fit get keys, and those known must be as they were."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from shared.config.system import Dataset
from shared.dataset.contents import refuse_changed, taken_anew
from shared.dataset.files import count_rows, state_of, told
from shared.dataset.judging import Misfit, judge
from shared.dataset.listing import Listing, look
from shared.dataset.manifest import ManifestEntry, manifest_path, writing_manifest
from shared.errors import DataError
from shared.timestamps import now_us

_KNOWN = 65_536


class Found(NamedTuple):
    """What a look for files has found."""

    entries: tuple[ManifestEntry, ...]  # of all rows that have keys
    known: int  # how many of them stood in the manifest before this look, whoever wrote them there
    misfits: dict[str, Misfit]  # files whose rows have none
    listing: Listing


def discover(dataset: Dataset, artifacts_root: str) -> tuple[ManifestEntry, ...]:
    """All entries, once every file that is there has keys, whatever its columns are.

    Raises DataError for one that cannot be read, and as `find` does.
    """
    found = find(dataset, artifacts_root, None)
    for misfit in found.misfits.values():
        raise DataError(*misfit.sentences)
    return found.entries


def find(dataset: Dataset, artifacts_root: str, also: Sequence[str] | None) -> Found:
    """All entries, after files not known yet were judged and, where they fit, appended in path order.

    `also` are columns needed beside timestamp, label and features; None: columns and rows are not judged. What a
    process has not read yet is read whole, and again where size or time moved since. A lock on the manifest lets
    several supervisors agree on the keys. Files of a restored manifest are taken as they are now, if they have as many
    rows as before. Raises DataError if a known file changed, PlaceError for a place that cannot be looked into.
    """
    path = manifest_path(artifacts_root, dataset.name)
    with writing_manifest(path) as manifest:
        known = manifest.entries
        listing = look(dataset.uri)
        for entry in known:
            refuse_changed(entry, listing, dataset.uri)
        restored = any(not entry.fingerprint for entry in known)
        entries = [taken_anew(entry, dataset) for entry in known] if restored else list(known)
        there, discovered_us = {entry.file for entry in known}, now_us()
        misfits: dict[str, Misfit] = {}
        for file, now in listing.files.items():
            if file in there:
                continue
            looked_at = _look_at(file, now.mark, entries, dataset, also)
            if isinstance(looked_at, Misfit):
                misfits[file] = looked_at
            else:
                next_key = entries[-1].stop_key if entries else 0
                entries.append(msgspec.structs.replace(looked_at, first_key=next_key, discovered_us=discovered_us))
        if restored:
            manifest.replace(entries)
        elif len(entries) > len(known):
            manifest.append(entries[len(known) :])
    return Found(tuple(entries), len(known), misfits, listing)


def first_with_rows(entries: Sequence[ManifestEntry]) -> ManifestEntry | None:
    """The entry whose types all others share; the moment at which it was found is left out, as it says nothing here."""
    first = next((entry for entry in entries if entry.rows), None)
    return None if first is None else msgspec.structs.replace(first, discovered_us=0)


def _look_at(
    file: str, mark: str, before: Sequence[ManifestEntry], dataset: Dataset, also: Sequence[str] | None
) -> ManifestEntry | Misfit:
    """An entry that lacks its keys, or why it gets none. Cheap for as long as file and first entry are the same."""
    try:
        return _looked_at(file, mark, first_with_rows(before), dataset, None if also is None else tuple(also))
    except DataError as error:
        cause = _of_the_system(error)
        if cause is not None:
            return Misfit("unreadable", (f"{file} cannot be read: {told(cause)}. Mend that, or take it away.",))
        how = "Write it under a name that begins with a dot, and rename it when done."
        return Misfit("unfinished", (f"{file} is being written to. {how}",))


@lru_cache(maxsize=_KNOWN)
def _looked_at(
    file: str, mark: str, first: ManifestEntry | None, dataset: Dataset, also: tuple[str, ...] | None
) -> ManifestEntry | Misfit:
    """What is true of a file while its `mark` stays. Raises DataError for what may be otherwise at the next look."""
    before, misfit = state_of(file, dataset.uri), None
    try:
        rows = count_rows(file, dataset)
        entry = ManifestEntry(file=file, rows=rows, size_bytes=0, fingerprint="", first_key=0)
        entry = taken_anew(entry, dataset)
        misfit = None if also is None else judge(entry, first, dataset, also)
    except DataError as error:
        if _of_the_system(error) is not None:
            raise
        misfit = Misfit("unreadable", (str(error),))
    if misfit is not None and state_of(file, dataset.uri) != before:
        raise DataError(*misfit.sentences)
    return misfit or entry


def _of_the_system(error: DataError) -> OSError | None:
    """Why the file could not be read, if that lies outside of it; pyarrow's own errors have no number."""
    cause = error.__cause__
    if not isinstance(cause, OSError) or isinstance(cause, FileNotFoundError) or cause.errno is None:
        return None
    return cause

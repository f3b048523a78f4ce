"""Looking for files: those not known yet are judged, those that fit get keys, and those known must be as they were."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from shared.config.system import Dataset
from shared.dataset.contents import proposed, refuse_changed
from shared.dataset.files import state_of, told
from shared.dataset.found_file import FoundFile
from shared.dataset.judging import Misfit, judge
from shared.dataset.listing import Listing, look
from shared.dataset.manifest import ManifestEntry, by_file, manifest_path, writing_manifest
from shared.dataset.mended import taken_anew
from shared.errors import DataError
from shared.timestamps import now_us

_KNOWN = 65_536


class Found(NamedTuple):
    """What a look for files has found."""

    entries: tuple[ManifestEntry, ...]  # of all rows that have keys
    known: int  # how many of them stood in the manifest before this look, whoever wrote them there
    misfits: dict[str, Misfit]  # files whose rows have none
    listing: Listing


def discover(dataset: Dataset, artifacts_root: str, at_rest_s: float = 0.0) -> tuple[ManifestEntry, ...]:
    """All entries, once every file that is there has keys, whatever its columns are.

    Raises DataError for one that cannot be read, and as `find` does.
    """
    found = find(dataset, artifacts_root, None, at_rest_s)
    for misfit in found.misfits.values():
        raise DataError(*misfit.sentences)
    return found.entries


def find(dataset: Dataset, artifacts_root: str, also: Sequence[str] | None, at_rest_s: float = 0.0) -> Found:
    """All entries, after what has no keys yet was judged and, where it fits, appended in path order: files, and lines
    that were added to known ones.

    `also` are columns needed beside timestamp, label and features; None: columns and rows are not judged. With
    `at_rest_s` files may be written to while they are looked at: a last line without a line end counts when they have
    been at rest for so long. With 0 it counts at once. What a process has not read yet is read whole, and again where
    size or time moved since. A lock on the manifest lets several supervisors agree on the keys. Files of a restored
    manifest are taken as they are now, if they have as many rows as before. Raises DataError if a known file changed,
    PlaceError for a place that cannot be looked into.
    """
    path = manifest_path(artifacts_root, dataset.name)
    with writing_manifest(path) as manifest:
        known = manifest.entries
        sought = _Sought(dataset, None if also is None else tuple(also), at_rest_s, first_with_rows(known) is None)
        listing = look(dataset.uri)
        refuse_changed(known, listing, dataset)
        restored = any(not entry.fingerprint for entry in known)
        entries = taken_anew(known, dataset) if restored else list(known)
        there, discovered_us = by_file(entries), now_us()
        misfits: dict[str, Misfit] = {}
        for file, now in listing.files.items():
            looked_at = _look_at(file, now, there.get(file, ()), first_with_rows(entries), sought)
            if isinstance(looked_at, Misfit):
                misfits[file] = looked_at
            elif looked_at is not None:
                next_key = entries[-1].stop_key if entries else 0
                entries.append(msgspec.structs.replace(looked_at, first_key=next_key, discovered_us=discovered_us))
        if restored:
            manifest.replace(entries)
        elif len(entries) > len(known):
            manifest.append(entries[len(known) :])
    return Found(tuple(entries), len(known), misfits, listing)


def first_with_rows(entries: Sequence[ManifestEntry]) -> ManifestEntry | None:
    """The entry whose types all others share."""
    return next((entry for entry in entries if entry.rows), None)


class _Sought(NamedTuple):
    """What is looked for."""

    dataset: Dataset
    also: tuple[str, ...] | None
    at_rest_s: float
    is_first: bool  # whether no rows had keys before this look


def _look_at(
    file: str, now: FoundFile, known: Sequence[ManifestEntry], first: ManifestEntry | None, sought: _Sought
) -> ManifestEntry | Misfit | None:
    """An entry that lacks its keys, or why it gets none; None where there is nothing new.

    Cheap for as long as the file, what of it has keys, and the first entry are the same.
    """
    remembered = _memory(file, now.mark, known[-1] if known else None, first, sought._replace(is_first=False))
    if not remembered:
        try:
            looked_at = _looked_at(file, now, known, first, sought)
        except DataError as error:
            return _not_now(file, error)
        if looked_at is None:  # perhaps not yet: a last line may have to rest
            return None
        remembered.append(looked_at)
    return remembered[0]


@lru_cache(maxsize=_KNOWN)
def _memory(
    file: str, mark: str, last: ManifestEntry | None, first: ManifestEntry | None, sought: _Sought
) -> list[ManifestEntry | Misfit]:
    """What was found of a file while it had this mark; nothing yet, at first."""
    return []


def _looked_at(
    file: str, now: FoundFile, known: Sequence[ManifestEntry], first: ManifestEntry | None, sought: _Sought
) -> ManifestEntry | Misfit | None:
    """What is true of a file while its mark stays. Raises DataError for what may be otherwise at the next look."""
    dataset, also, at_rest_s, is_first = sought
    entry, misfit = None, None
    try:
        entry = proposed(file, now, known, dataset, at_rest_s)
        if entry is not None and also is not None:
            found_us = first.discovered_us if first and is_first else 0  # all that counts is whether it is the same
            misfit = judge(msgspec.structs.replace(entry, discovered_us=found_us), first, dataset, also)
    except DataError as error:
        if _of_the_system(error) is not None:
            raise
        misfit = Misfit("unreadable", (str(error),))
    if misfit is not None and state_of(file, dataset.uri) != now:
        raise DataError(*misfit.sentences)
    return misfit or entry


def _not_now(file: str, error: DataError) -> Misfit:
    cause = _of_the_system(error)
    if cause is not None:
        return Misfit("unreadable", (f"{file} cannot be read: {told(cause)}. Mend that, or take it away.",))
    how = "Write it under a name that begins with a dot, and rename it when done."
    return Misfit("unfinished", (f"{file} is being written to. {how}",))


def _of_the_system(error: DataError) -> OSError | None:
    """Why the file could not be read, if that lies outside of it; pyarrow's own errors have no number."""
    cause = error.__cause__
    if not isinstance(cause, OSError) or isinstance(cause, FileNotFoundError) or cause.errno is None:
        return None
    return cause

"""Looking for files: those not known yet are judged, those that fit get keys, and those known must be as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from shared.config.system import Dataset
from shared.dataset.contents import Proposal, proposed, refuse_changed
from shared.dataset.files import state_of, told
from shared.dataset.found_file import FoundFile
from shared.dataset.growth import Rest, Tail
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
    waiting: Mapping[str, Tail] = MappingProxyType({})  # ends of files that are no whole rows yet


def discover(dataset: Dataset, artifacts_root: str, at_rest_s: float = 0.0) -> tuple[ManifestEntry, ...]:
    """All entries, once every file that is there has keys, whatever its columns are.

    Raises DataError for one that cannot be read, and as `find` does.
    """
    found = find(dataset, artifacts_root, None, Rest(at_rest_s, to_the_end=not at_rest_s))
    for misfit in found.misfits.values():
        raise DataError(*misfit.sentences)
    return found.entries


_AT_ONCE = Rest()


def find(dataset: Dataset, artifacts_root: str, also: Sequence[str] | None, rest: Rest = _AT_ONCE) -> Found:
    """All entries, after what has no keys yet was judged and, where it fits, appended in path order: files, and lines
    that were added to known ones.

    `also` are columns needed beside timestamp, label and features; None: columns and rows are not judged. Files may be
    written to while they are looked at: `rest` says when the end of one counts. What a process has not read yet is
    read whole, and again where size or time moved since. A lock on the manifest lets several supervisors agree on the
    keys. Files of a restored manifest are taken as they are now, if they have as many rows as before. Raises DataError
    if a known file changed, PlaceError for a place that cannot be looked into.
    """
    sought = _Sought(dataset, None if also is None else tuple(also), rest)
    path = manifest_path(artifacts_root, dataset.name)
    with writing_manifest(path) as manifest:
        known = manifest.entries
        listing = look(dataset.uri)
        refuse_changed(known, listing, dataset)
        restored = any(not entry.fingerprint for entry in known)
        entries = taken_anew(known, dataset) if restored else list(known)
        there, discovered_us = by_file(entries), now_us()
        misfits: dict[str, Misfit] = {}
        waiting: dict[str, Tail] = {}
        for file, now in listing.files.items():
            looked_at = _look_at(file, now, there.get(file, ()), first_with_rows(entries), sought)
            if isinstance(looked_at, Misfit):
                misfits[file] = looked_at
                continue
            if looked_at.entry is not None:
                next_key = entries[-1].stop_key if entries else 0
                entries.append(replace(looked_at.entry, first_key=next_key, discovered_us=discovered_us))
            if looked_at.tail is not None:
                waiting[file] = looked_at.tail
        if restored:
            manifest.replace(entries)
        elif len(entries) > len(known):
            manifest.append(entries[len(known) :])
    return Found(tuple(entries), len(known), misfits, listing, waiting)


def first_with_rows(entries: Sequence[ManifestEntry]) -> ManifestEntry | None:
    """The entry whose types all others share; the moment at which it was found is left out, as it says nothing here."""
    first = next((entry for entry in entries if entry.rows), None)
    return None if first is None else replace(first, discovered_us=0)


class _Sought(NamedTuple):
    """What is looked for."""

    dataset: Dataset
    also: tuple[str, ...] | None
    rest: Rest


def _look_at(
    file: str, now: FoundFile, known: Sequence[ManifestEntry], first: ManifestEntry | None, sought: _Sought
) -> Proposal | Misfit:
    """What has no keys yet, or why it gets none.

    Cheap for as long as the file, what of it has keys, and the first entry are the same.
    """
    remembered = _memory(file, now.mark, known[-1] if known else None, first, sought)
    if not remembered:
        try:
            looked_at = _looked_at(file, now, known, first, sought)
        except DataError as error:
            return _not_now(file, error)
        if isinstance(looked_at, Proposal) and (looked_at.entry is None or looked_at.tail is not None):
            return looked_at  # the end may have to rest
        remembered.append(looked_at)
    return remembered[0]


@lru_cache(maxsize=_KNOWN)
def _memory(
    file: str, mark: str, last: ManifestEntry | None, first: ManifestEntry | None, sought: _Sought
) -> list[Proposal | Misfit]:
    """What was found of a file while it had this mark; nothing yet, at first."""
    return []


def _looked_at(
    file: str, now: FoundFile, known: Sequence[ManifestEntry], first: ManifestEntry | None, sought: _Sought
) -> Proposal | Misfit:
    """What is true of a file while its mark stays. Raises DataError for what may be otherwise at the next look."""
    dataset, also, rest = sought
    proposal, misfit = Proposal(None), None
    try:
        proposal = proposed(file, now, known, dataset, rest)
        entry = proposal.entry
        misfit = None if entry is None or also is None else judge(entry, first, dataset, also)
    except DataError as error:
        if _of_the_system(error) is not None:
            raise
        misfit = Misfit("unreadable", (str(error),))
    if misfit is not None and state_of(file, dataset.uri) != now:
        raise DataError(*misfit.sentences)
    return misfit or proposal


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

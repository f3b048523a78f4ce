"""Looking for files: those not known yet are judged, those that fit get keys, and those known must be as they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, cast

from msgspec.structs import replace

from shared.config.system import Dataset
from shared.dataset.contents import Proposal, proposed, refuse_changed
from shared.dataset.files import of_the_system, state_of, told
from shared.dataset.found_file import FoundFile
from shared.dataset.growth import Rest, Tail
from shared.dataset.judging import Misfit, judge
from shared.dataset.key_columns import Other
from shared.dataset.listing import Listing, look
from shared.dataset.manifest import MEND_IN_PLACE, ManifestEntry, by_file, manifest_path, writing_manifest
from shared.dataset.memory import forget_others, memories, memory_of
from shared.dataset.mended import taken_anew
from shared.errors import DataError, PlaceError
from shared.timestamps import now_us


class Found(NamedTuple):
    """What a look for files has found."""

    entries: tuple[ManifestEntry, ...]  # of all rows that have keys
    known: int  # how many of them stood in the manifest before this look, whoever wrote them there
    misfits: dict[str, Misfit]  # files whose rows have none
    listing: Listing
    waiting: Mapping[str, Tail] = MappingProxyType({})  # ends of files that are no whole rows yet
    away: Mapping[str, str] = MappingProxyType({})  # places whose rows have keys and cannot be looked at now: sentences


def discover(dataset: Dataset, artifacts_root: str, at_rest_s: float = 0.0) -> tuple[ManifestEntry, ...]:
    """All entries, once every file that is there has keys, whatever its columns are.

    Raises DataError for one that cannot be read, and as `find` does.
    """
    found = find(dataset, artifacts_root, None, Rest(at_rest_s, to_the_end=not at_rest_s))
    if found.away:
        raise PlaceError(*found.away.values())
    for misfit in found.misfits.values():
        raise DataError(*misfit.sentences)
    return found.entries


_AT_ONCE = Rest()


def find(
    dataset: Dataset,
    artifacts_root: str,
    also: Sequence[str] | None,
    rest: Rest = _AT_ONCE,
    patience_s: float | None = None,
    beside: Other | None = None,
) -> Found:
    """All entries, after what has no keys yet was judged and, where it fits, appended in path order: files, and lines
    that were added to known ones.

    `also` are columns needed beside timestamp, label and features; None: columns and rows are not judged. `beside`: the
    table whose key columns these have to be able to equal. Files may be written to while they are looked at: `rest`
    says when the end of one counts. What a process has not read yet is read whole, and again where size or time moved
    since. A lock on the manifest lets several supervisors agree on the keys; it is waited for so long, or for ever.
    Files of a restored manifest are taken as they are now, if they have as many rows as before. Raises DataError if a
    known file changed, PlaceError where the dataset cannot be looked into at all.
    """
    path = manifest_path(artifacts_root, dataset.name)
    with writing_manifest(path, patience_s) as manifest:
        known = manifest.entries
        sought = _Sought(dataset, None if also is None else tuple(also), rest, first_with_rows(known) is None, beside)
        listing = look(dataset.uri)
        there = by_file(known)
        moved = _moved(there, listing, dataset)
        away = refuse_changed(_with_rows(there), moved, listing, dataset)
        restored = any(not entry.fingerprint for entry in known)
        if restored and away:
            raise PlaceError(*away.values())
        entries = taken_anew(known, dataset) if restored else list(known)
        looked = _Looked(entries, by_file(entries) if restored else there)
        for file, now in moved.items():
            if file not in away:
                looked.at(file, now, sought)
        if restored:
            manifest.replace(entries)
        elif len(entries) > len(known):
            manifest.append(entries[len(known) :])
    forget_others(dataset.uri, listing.files, there)
    return Found(tuple(entries), len(known), looked.misfits, listing, looked.waiting, away)


def _moved(there: Mapping[str, Sequence[ManifestEntry]], listing: Listing, dataset: Dataset) -> dict[str, FoundFile]:
    """All files but those of which every row has a key, and to which nobody has written since that was seen."""
    files, settled = memories(dataset.uri), []
    for file, pieces in there.items():
        now, memory = listing.files.get(file), files.get(file)
        if now is not None and memory is not None and memory.settled[0] == now.mark and memory.settled[1] == pieces:
            settled.append(file)
    if not settled:
        return listing.files
    if len(settled) == len(listing.files):
        return {}
    passed = set(settled)
    return {file: now for file, now in listing.files.items() if file not in passed}


def _with_rows(there: Mapping[str, Sequence[ManifestEntry]]) -> dict[str, Sequence[ManifestEntry]]:
    """What binds: an entry without rows has no keys, and its file may become another, or none."""
    filled = {}
    for file, pieces in there.items():
        kept = pieces if all(piece.rows for piece in pieces) else [piece for piece in pieces if piece.rows]
        if kept:
            filled[file] = kept
    return filled


class _Looked:
    """What a look has made of the files so far."""

    def __init__(self, entries: list[ManifestEntry], there: Mapping[str, Sequence[ManifestEntry]]) -> None:
        self._entries, self._there = entries, there
        self._first, self._discovered_us = first_with_rows(entries), now_us()
        self.misfits: dict[str, Misfit] = {}
        self.waiting: dict[str, Tail] = {}

    def at(self, file: str, now: FoundFile, sought: _Sought) -> None:
        """Give keys to what has none, or take note of why it gets none."""
        pieces = self._there.get(file, ())
        looked_at = _look_at(file, now, pieces, self._first, sought)
        if isinstance(looked_at, Misfit):
            self.misfits[file] = looked_at
            return
        if looked_at.tail is not None:
            self.waiting[file] = looked_at.tail
        if looked_at.entry is not None:
            next_key = self._entries[-1].stop_key if self._entries else 0
            self._entries.append(replace(looked_at.entry, first_key=next_key, discovered_us=self._discovered_us))
            self._first = self._first or first_with_rows(self._entries)
        elif pieces and pieces[-1].rows and pieces[-1].size_bytes == now.size_bytes and looked_at.tail is None:
            memory_of(file, sought.dataset.uri).settled = now.mark, pieces


def first_with_rows(entries: Sequence[ManifestEntry]) -> ManifestEntry | None:
    """The entry whose types all others share."""
    return next((entry for entry in entries if entry.rows), None)


class _Sought(NamedTuple):
    """What is looked for."""

    dataset: Dataset
    also: tuple[str, ...] | None
    rest: Rest
    is_first: bool  # whether no rows had keys before this look
    beside: Other | None = None


def _look_at(
    file: str, now: FoundFile, known: Sequence[ManifestEntry], first: ManifestEntry | None, sought: _Sought
) -> Proposal | Misfit:
    """What has no keys yet, or why it gets none.

    Cheap for as long as the file, what of it has keys, and the first entry are the same.
    """
    before = None if first is None else replace(first, discovered_us=0)  # when that was found says nothing here
    memory, asked = (
        memory_of(file, sought.dataset.uri),
        (now.mark, known[-1] if known else None, before, sought._replace(is_first=False)),
    )
    if memory.asked == asked:
        return cast(Proposal | Misfit, memory.answer)
    try:
        looked_at = _looked_at(file, now, known, first, sought)
    except (DataError, OSError) as error:
        return _not_now(file, error, has_keys=any(piece.rows for piece in known))
    if isinstance(looked_at, Misfit) or (looked_at.entry is not None and looked_at.tail is None):
        memory.asked, memory.answer = asked, looked_at  # else the end may have to rest
    return looked_at


def _looked_at(
    file: str, now: FoundFile, known: Sequence[ManifestEntry], first: ManifestEntry | None, sought: _Sought
) -> Proposal | Misfit:
    """What is true of a file while its mark stays. Raises DataError for what may be otherwise at the next look."""
    dataset, also, rest, is_first, beside = sought
    proposal, misfit = Proposal(None), None
    try:
        proposal = proposed(file, now, known, dataset, rest)
        if proposal.entry is not None and also is not None:
            found_us = first.discovered_us if first and is_first else 0  # all that counts is whether it is the same
            misfit = judge(replace(proposal.entry, discovered_us=found_us), first, dataset, also, beside)
    except DataError as error:
        if of_the_system(error) is not None:
            raise
        misfit = Misfit("unreadable", (str(error),))
    if misfit is not None and state_of(file, dataset.uri) != now:
        raise DataError(*misfit.sentences)
    return misfit or proposal


def _not_now(file: str, error: DataError | OSError, *, has_keys: bool) -> Misfit:
    cause = of_the_system(error)
    if cause is not None:
        remedy = MEND_IN_PLACE if has_keys else "Mend that, or take it away."
        return Misfit("unreadable", (f"{file} cannot be read: {told(cause)}. {remedy}",))
    how = "Write it under a name that begins with a dot, and rename it when done."
    return Misfit("unfinished", (f"{file} is being written to. {how}",))

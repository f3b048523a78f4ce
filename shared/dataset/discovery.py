"""Looking for files: those not known yet are given their keys, and those known must be as they were."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from shared.config.system import Dataset
from shared.dataset.contents import refuse_changed, taken_anew
from shared.dataset.files import count_rows
from shared.dataset.listing import Listing, look
from shared.dataset.manifest import ManifestEntry, manifest_path, writing_manifest
from shared.timestamps import now_us


def discover(
    dataset: Dataset, artifacts_root: str, seen: Callable[[Dataset, Listing], None] | None = None
) -> tuple[ManifestEntry, ...]:
    """All entries, after files not known yet were appended in path order. Raises DataError if a known one changed.

    What a process has not read yet is read whole, and again where size or time moved since. A lock on the manifest lets
    several supervisors agree on the keys. Files of a restored manifest are taken as they are now, if they have as many
    rows as before. `seen` is called with all that lies there.
    """
    path = manifest_path(artifacts_root, dataset.name)
    with writing_manifest(path) as manifest:
        known = manifest.entries
        found = look(dataset.uri)
        if seen is not None:
            seen(dataset, found)
        for entry in known:
            refuse_changed(entry, found, dataset.uri)
        restored = any(not entry.fingerprint for entry in known)
        entries = [taken_anew(entry, dataset) for entry in known] if restored else list(known)
        there, discovered_us = {entry.file for entry in known}, now_us()
        for file in (one for one in found.files if one not in there):
            next_key = entries[-1].stop_key if entries else 0
            rows = count_rows(file, dataset)
            entry = ManifestEntry(file=file, rows=rows, size_bytes=0, fingerprint="", first_key=next_key)
            entries.append(taken_anew(msgspec.structs.replace(entry, discovered_us=discovered_us), dataset))
        if restored:
            manifest.replace(entries)
        elif len(entries) > len(known):
            manifest.append(entries[len(known) :])
    return tuple(entries)

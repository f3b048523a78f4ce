"""Looking for files: those not known yet are given their keys, and those known must be as they were."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from shared.config.system import Dataset
from shared.dataset.contents import proposed, refuse_changed
from shared.dataset.listing import Listing, look
from shared.dataset.manifest import ManifestEntry, by_file, manifest_path, writing_manifest
from shared.dataset.mended import taken_anew
from shared.timestamps import now_us


def discover(
    dataset: Dataset,
    artifacts_root: str,
    seen: Callable[[Dataset, Listing], None] | None = None,
    at_rest_s: float = 0.0,
) -> tuple[ManifestEntry, ...]:
    """All entries, after files not known yet, and lines that were added to known ones, were appended in path order.

    Raises DataError if a known one changed. With `at_rest_s` files may be written to while they are looked at: a last
    line without a line end counts when they have been at rest for so long. With 0 it counts at once.

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
        refuse_changed(known, found, dataset)
        restored = any(not entry.fingerprint for entry in known)
        entries = taken_anew(known, dataset) if restored else list(known)
        there, discovered_us = by_file(entries), now_us()
        for file, now in found.files.items():
            entry = proposed(file, now, there.get(file, ()), dataset, at_rest_s)
            if entry is not None:
                next_key = entries[-1].stop_key if entries else 0
                entries.append(msgspec.structs.replace(entry, first_key=next_key, discovered_us=discovered_us))
        if restored:
            manifest.replace(entries)
        elif len(entries) > len(known):
            manifest.append(entries[len(known) :])
    return tuple(entries)

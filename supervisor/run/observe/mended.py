"""Whether a file has other contents than when a run gave its rows keys: a manifest that was removed, or that another
run wrote anew, has it taken as it is, and nobody would hear of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from shared.dataset.manifest import ManifestEntry

log = logging.getLogger(__name__)

_told: set[ManifestEntry] = set()


def tell_mended(known: Sequence[ManifestEntry], now: Sequence[ManifestEntry]) -> None:
    """Warn, once for each, of entries with the keys that a run knows, and with other contents."""
    for before, after in zip(known, now, strict=False):
        if before.fingerprint != after.fingerprint and before.fingerprint and after not in _told:
            _told.add(after)
            log.warning(
                "! %s is not what it was when this run gave its rows the keys %d to %d; as the manifest was removed, "
                "it is taken as it is. Models and scores that there are stay as they are.",
                after.file,
                after.first_key,
                after.stop_key - 1,
            )

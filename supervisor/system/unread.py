"""What lies among the files of a dataset and is not read: told once, at the start or when it comes."""

from __future__ import annotations

import logging

from shared.config.secrets import hide
from shared.config.system import Dataset
from shared.dataset.listing import Listing

log = logging.getLogger(__name__)

_told: set[tuple[str, str, str]] = set()  # uri, entry and reason


def tell_unread(dataset: Dataset, found: Listing) -> None:
    """Warn of what this process has not told yet."""
    unreadable, passed_over = (
        {name: why for name, why in entries.items() if (dataset.uri, name, why) not in _told}
        for entries in (found.unreadable, found.passed_over)
    )
    _told.update((dataset.uri, name, why) for name, why in {**unreadable, **passed_over}.items())
    for sentence in Listing({}, unreadable, passed_over).sentences(dataset.uri):
        log.warning("! dataset %s: %s", dataset.name, hide(sentence))

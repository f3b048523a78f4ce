"""What lies among the files of a dataset and is not read: told once, at the start or when it comes."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from shared.config.secrets import hide
from shared.config.system import Dataset
from shared.dataset.discovery import Found
from shared.dataset.judging import Misfit
from shared.dataset.listing import Listing

log = logging.getLogger(__name__)

_told: set[tuple[str, str]] = set()  # an entry, and the reason


def tell_passed_over(dataset: Dataset, found: Found) -> None:
    """Warn of what is not data, as far as this process has not told it yet."""
    new = {name: why for name, why in found.listing.passed_over.items() if (name, why) not in _told}
    _told.update(new.items())
    for sentence in Listing({}, {}, new).sentences(dataset.uri):
        log.warning("! dataset %s: %s", dataset.name, hide(sentence))


def tell_not_read(found: Found) -> None:
    """Warn of files that cannot be read or do not fit, before there is a run that does."""
    for name, sentence in {**unreadable(found), **unfit(found)}.items():
        for level, line in not_read(name, sentence):
            log.log(level, "%s", line)


def not_read(file: str, sentence: str) -> Iterator[tuple[int, str]]:
    """The line on a file that is looked at again, with its level; none if this process has told it already."""
    if (file, sentence) not in _told:
        _told.add((file, sentence))
        yield logging.WARNING, f"! not read, and looked at again: {sentence}"


def unreadable(found: Found) -> dict[str, str]:
    """File → sentence, of what is named like data and cannot be read; what is still written to is none of it."""
    misfits = {file: one for file, one in found.misfits.items() if one.why == "unreadable"}
    linked = {
        name: hide(f"{name} cannot be read, {why}. Mend it or take it away.")
        for name, why in found.listing.unreadable.items()
        if name not in found.away
    }
    away = {place: hide(sentence) for place, sentence in found.away.items()}
    return {**linked, **away, **_sentences(misfits)}


def unfit(found: Found) -> dict[str, str]:
    """File → sentence, of what can be read and has not the dataset's columns, or rows that cannot be used."""
    return _sentences({file: one for file, one in found.misfits.items() if one.why in ("columns", "rows")})


def _sentences(misfits: Mapping[str, Misfit]) -> dict[str, str]:
    """Each names its file."""
    told = {file: " ".join(one.sentences) for file, one in misfits.items()}
    return {file: hide(one if file in one else f"{file}: {one}") for file, one in told.items()}

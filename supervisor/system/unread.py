"""What lies among the files of a dataset and is not read: told once, at the start or when it comes."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from shared.config.secrets import hide
from shared.config.system import Dataset
from shared.dataset.discovery import Found
from shared.dataset.judging import Misfit
from shared.dataset.listing import Listing

log = logging.getLogger(__name__)


class Telling:
    """What a session has said of such files: of what is no data for as long as that stays, of others until a run
    begins, which then tells of them itself.
    """

    def __init__(self) -> None:
        self._passed_over: dict[str, dict[str, str]] = {}  # dataset → name → why
        self._before_run: dict[str, str] = {}

    def passed_over(self, dataset: Dataset, found: Found) -> None:
        """Warn of what is not data and was not there, or not for this reason, at the look before."""
        before, now = self._passed_over.get(dataset.name, {}), found.listing.passed_over
        new = {name: why for name, why in now.items() if before.get(name) != why}
        self._passed_over[dataset.name] = dict(now)
        for sentence in Listing({}, {}, new).sentences(dataset.uri):
            log.warning("! dataset %s: %s", dataset.name, hide(sentence))

    def not_read(self, found: Found) -> None:
        """Warn of files that cannot be read or do not fit, before there is a run that does."""
        before, now = self._before_run, {**unreadable(found), **unfit(found)}
        self._before_run = now
        for name, sentence in now.items():
            if before.get(name) != sentence:
                log.warning("%s", not_read(sentence))

    def said_before_run(self, file: str, sentence: str) -> bool:
        """Whether that is no news; asked once, as it is news when it happens again."""
        return self._before_run.pop(file, None) == sentence


def not_read(sentence: str) -> str:
    """The line on a file that is looked at again."""
    return f"! not read, and looked at again: {sentence}"


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

"""Whether the workers of a fleet can work together: what they run, compared with the first of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from shared.messages.reports import SetUp
from shared.messages.version import MESSAGE_VERSION
from supervisor.core.notices import Listener, Told

log = logging.getLogger(__name__)


class Versions(Listener):
    """Remembers what the first worker runs, and names each worker that differs, once."""

    def __init__(self) -> None:
        self._first: tuple[str, Mapping[str, str]] | None = None
        self._named: set[str] = set()

    def hear(self, told: Told) -> None:
        """A worker that has set itself up has said what it runs."""
        if isinstance(told, SetUp):
            self.compare(told.hostname, told.versions)

    def compare(self, hostname: str, versions: Mapping[str, str]) -> None:
        """Log a warning if this worker differs from the first: it may make other models from the same rows."""
        if self._first is None:
            self._first = (hostname, versions)
        first, known = self._first
        differing = [name for name in known if versions.get(name) != known[name]]
        if differing and hostname not in self._named:
            self._named.add(hostname)
            told = ", ".join(f"{name} {versions.get(name)} instead of {known[name]}" for name in differing)
            what = (
                "Results may depend on who does a task; give both the same versions."
                if speaks(versions)
                else "It takes no work of this run; start it from the supervisor's version."
            )
            log.warning("! worker %s differs from %s: %s. %s", hostname, first, told, what)


def speaks(versions: Mapping[str, str]) -> bool:
    """Whether a worker understands this supervisor's messages; one that does not leaves them to the others."""
    return versions.get("messages") == str(MESSAGE_VERSION)

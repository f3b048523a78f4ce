"""What a journal says of its run: the fold over its events. It only reads, so the run may be going on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from shared.config.load import Configuration
from shared.dataset.manifest import ManifestEntry
from shared.ids import TriggerId
from supervisor.core.commands import AnyCommand
from supervisor.core.events import Discovered, LabelsDiscovered, Resumed, RunStarted
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.results.tally import Tally
from supervisor.run.act.committer import Commit
from supervisor.run.journal import events_in


class Told(NamedTuple):
    """A run as its journal tells it."""

    state: RunState
    tally: Tally
    commits: dict[tuple[type, TriggerId], Commit]  # the last of each kind and trigger
    entries: list[ManifestEntry]  # of the dataset
    label_entries: list[ManifestEntry]  # of its table of labels
    code: dict[str, str] | None  # of the user's modules, as the last session found them


def told_by(configuration: Configuration, journal: Path, heed: Callable[[AnyCommand], None] | None = None) -> Told:
    """Fold a journal; `heed` is shown each command that its events brought.

    Raises OSError, and RunFailedError for a line that is not an event.
    """
    state = RunState(settings=Settings.of(configuration.pipeline, configuration.system))
    tally = Tally(configuration.pipeline)
    commits: dict[tuple[type, TriggerId], Commit] = {}
    entries: list[ManifestEntry] = []
    labels: list[ManifestEntry] = []
    code: dict[str, str] | None = None
    for event in events_in(journal):
        state, commands, notices = transition(state, event)
        for notice in notices:
            tally.hear(notice)
        for command in commands:
            if isinstance(command, Commit):
                commits[type(command), command.trigger_id] = command
            if heed is not None:
                heed(command)
        entries += event.entries if isinstance(event, Discovered) else ()
        labels += event.entries if isinstance(event, LabelsDiscovered) else ()
        code = event.code if isinstance(event, RunStarted | Resumed) else code
    return Told(state, tally, commits, entries, labels, code)

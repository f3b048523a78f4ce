"""What a session begins with: the rows that have keys, the first events, and what workers are told of the run."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from shared.config.load import Configuration
from shared.dataset.table import TableDataset, open_dataset
from shared.fleet import WorkerEntry
from shared.ids import RunId
from shared.messages.setup_record import SetupRecord
from supervisor.core.events import AnyEvent, Resumed
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.run.observe.label_files import LabelFiles, LabelsOfRun
from supervisor.run.observe.mended import tell_mended
from supervisor.run.observe.not_read import NotReadFiles
from supervisor.run.start.cautions import cautions
from supervisor.run.start.first_events import Recorded, Scope, first_events, undiscovered, undiscovered_labels
from supervisor.run.start.recovery import Recovered
from supervisor.system.devices import evaluation_device
from supervisor.system.platform import Platform
from supervisor.system.setup import setup_record
from supervisor.system.tables import Tables
from supervisor.system.unread import Telling
from supervisor.system.user_code import changes, user_code

log = logging.getLogger(__name__)


class Terms(NamedTuple):
    """What is known of a run before anything is started for it."""

    configuration: Configuration
    scope: Scope  # of a new run
    past: Recovered | None = None  # what the journal says of one that is resumed
    waited: bool = False  # no row was there when it was first looked for

    @property
    def state(self) -> RunState:
        """How far the run has come."""
        if self.past is not None:
            return self.past.state
        return RunState(settings=Settings.of(self.configuration.pipeline, self.configuration.system))

    @property
    def replays(self) -> bool:
        """Whether it replays what is recorded, and ends."""
        return self.scope.experiment if self.past is None else self.past.state.experiment

    @property
    def serves(self) -> bool:
        """Whether it deploys to the targets themselves."""
        return self.scope.serves if self.past is None else self.past.state.started.serves

    @property
    def follows(self) -> bool:
        """Whether files may come that are not its own: a later session of a replay meets those of the next one."""
        return self.past is not None or not self.replays


class Beginning(NamedTuple):
    """A run that is ready to be told of to its workers."""

    dataset: TableDataset
    labels: LabelsOfRun | None  # None: they stand in the rows
    workers: list[WorkerEntry]
    record: SetupRecord
    events: list[AnyEvent]  # with which the run begins, or this session of it
    resumed: Resumed | None  # what the loop adds to these, once it has heard what was reported meanwhile
    is_untried: bool  # nobody has tried the pipeline with the user's modules as they are now


def run_id_of(terms: Terms) -> RunId:
    """The run's own; of a new one, a new one."""
    return terms.state.run_id or RunId(f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}")


def begin(terms: Terms, platform: Platform, run_id: RunId, run_dir: Path) -> Beginning:
    """Wait for dataset and workers, give the rows their keys, and say what looks wrong.

    Raises ConfigurationError for a replay of nothing, NotReadyError with all that is not ready, and DataError.
    """
    configuration, past = terms.configuration, terms.past
    _, workers = platform.ready()
    tables, code = platform.give_keys(), user_code(configuration)
    dataset = tables.rows.dataset
    changed = None if past is None else changes(past.code, code)
    for sentence in cautions(configuration, dataset, replays=terms.replays, resumed=past is not None):
        log.warning("! %s", sentence)
    if changed is not None:
        log.warning("! %s", changed)
    root = configuration.system.artifacts_root
    record = setup_record(configuration, run_id, str(run_dir), root, serves=terms.serves)
    events, resumed = _events(terms, tables, record, workers, code), None
    if past is not None:
        resumed = msgspec.structs.replace(past.resumed, setup_version=record.version, code=code)
    looks = [one.found for one in (tables.rows, tables.labels) if one is not None]
    not_read = None if terms.replays else NotReadFiles(terms.state.unread).after(*looks)
    events += [not_read] if not_read else []
    labels = _labels(terms, tables, record, platform.telling)
    return Beginning(dataset, labels, workers, record, events, resumed, past is None or changed is not None)


def _labels(terms: Terms, tables: Tables, record: SetupRecord, telling: Telling) -> LabelsOfRun | None:
    """The table of labels, as far as the run has found it: a replay has what was there when it began."""
    if tables.labels is None or record.labels_uri is None:
        return None
    table, position = tables.labels.dataset, terms.state.started.labels_position
    if terms.past is not None and terms.replays:
        table = open_dataset(table.config, [one for one in table.entries if one.stop_key <= (position or 0)])
    return LabelsOfRun(LabelFiles(table, telling), Path(record.labels_uri))


def _events(
    terms: Terms, tables: Tables, record: SetupRecord, workers: Sequence[WorkerEntry], code: dict[str, str]
) -> list[AnyEvent]:
    """Those that make a run of it; of one that there is, those of files that its journal does not know."""
    dataset, labels = tables.rows.dataset, None if tables.labels is None else tables.labels.dataset
    past = terms.past
    if past is not None:
        tell_mended(past.entries, dataset.entries)
        found = undiscovered(past.state, len(past.entries), dataset)
        if labels is not None:
            tell_mended(past.label_entries, labels.entries)
            found += undiscovered_labels(past.state, len(past.label_entries), labels)
        return found
    pipeline = terms.configuration.pipeline
    device = evaluation_device(pipeline, workers)
    if terms.waited:  # all rows came after the run was asked for, so it follows them all
        pipeline = msgspec.structs.replace(pipeline, initial_mode="replay")
    return first_events(pipeline, terms.scope, Recorded(dataset, labels), record, device, code)

"""What is recorded, opened as an experiment would open it, in a folder of its own: no run keeps its keys."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from shared.config.load import Configuration
from shared.dataset.growth import Rest
from shared.dataset.table import TableDataset
from shared.ids import RunId
from shared.messages.setup_record import SetupRecord
from supervisor.backtest.replaying.recorded_stream import RecordedStream, read_stream
from supervisor.core.settings import Settings
from supervisor.run.observe.label_files import LabelFiles, LabelsOfRun
from supervisor.run.observe.labelling import Labelling, labelling_of
from supervisor.run.observe.table_labelling import InATable
from supervisor.run.start.first_events import Recorded, Scope, first_events
from supervisor.system.setup import setup_record
from supervisor.system.tables import ready_tables
from supervisor.system.unread import Telling


class Recording(NamedTuple):
    """Rows, and labels where these stand in a table of their own."""

    configuration: Configuration
    stream: RecordedStream
    record: SetupRecord  # what workers are told
    labels: TableDataset | None

    def labelling(self, index: Path | None = None) -> Labelling:
        """One that has heard of no row, for one replay.

        `index`: an absent folder, for an index of labels that stand in a table; None: where the record says, so that
        workers find it. Raises ArtifactError.
        """
        if self.labels is None or self.record.labels_uri is None:
            return labelling_of(self.configuration.pipeline)
        of_run = LabelsOfRun(LabelFiles(self.labels, Telling()), index or Path(self.record.labels_uri))
        return InATable.of(of_run, self.stream.dataset.config, self.stream.start)


def open_recording(configuration: Configuration, scope: Scope, folder: Path) -> Recording:
    """`folder`: for what is found, empty at first.

    Raises ConfigurationError for a replay of nothing, and NotReadyError for a dataset that cannot be used.
    """
    tables = ready_tables(configuration, folder, Rest(), Telling(), follows=False)
    dataset, labels = tables.rows.dataset, None if tables.labels is None else tables.labels.dataset
    record = setup_record(configuration, RunId("replay"), str(folder), str(folder), serves=False)
    events = first_events(configuration.pipeline, scope, Recorded(dataset, labels), record, "cpu", {})
    stream = read_stream(dataset, events, Settings.of(configuration.pipeline, configuration.system))
    return Recording(configuration, stream, record, labels)

"""The index of labels of a run that is over, made anew: which label of a table belongs to which row, and since when.

A run lets go of its index when it is finished, as rows, labels and journal say all that stood in it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from shared.dataset.labels_table import labels_table
from shared.dataset.manifest import entries_up_to
from shared.dataset.table import TableDataset, open_dataset
from supervisor.compare.run_to_score import RunToScore
from supervisor.run.observe.label_files import LabelFiles, LabelsOfRun
from supervisor.run.observe.labelling import hear_rows
from supervisor.run.observe.table_labelling import InATable
from supervisor.system.unread import Telling


def what_decides(run: RunToScore) -> bytes:
    """What an index depends on, beside how far it goes: runs in which it is the same can have one."""
    started, finds = run.state.started, run.state.stream.label_finds
    everything = None if started.everything is None else started.everything.timestamp_us
    found = [finds[number] for number in range(len(finds))]
    return msgspec.json.encode([run.record.dataset, run.record.manifest_uri, started.first_key, everything, found])


def write_label_index(run: RunToScore, last_key: int, folder: Path) -> None:
    """Write it into a folder that is absent, for the rows up to a key. Raises DataError, ArtifactError."""
    config, manifest = run.record.dataset, Path(run.record.manifest_uri)
    rows = open_dataset(config, entries_up_to(last_key, manifest))
    files = LabelFiles(_labels(run, manifest), Telling())
    labelling = InATable.of(LabelsOfRun(files, folder), config, run.state)
    hear_rows(labelling, rows, run.state.first_usable_key, last_key + 1)


def _labels(run: RunToScore, manifest: Path) -> TableDataset:
    """The table of labels, as far as the run has found it."""
    table, finds = labels_table(run.record.dataset), run.state.stream.label_finds
    position = finds[len(finds) - 1].stop_position if finds else 0
    return open_dataset(table, entries_up_to(position - 1, manifest.with_name(f"{table.name}{manifest.suffix}")))

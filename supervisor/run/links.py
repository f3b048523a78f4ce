"""What the loop of a run is joined to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.dataset.table import TableDataset
from supervisor.core.notices import Listener
from supervisor.run.broker import Broker
from supervisor.run.observe.announcements import Announcements
from supervisor.run.observe.label_files import LabelsOfRun
from supervisor.run.stop_signal import StopSignal
from supervisor.run.watch.reports import Reports
from supervisor.run.watch.watch import Watch
from supervisor.system.platform import Platform


@dataclass(frozen=True, kw_only=True)
class Links:
    """Made before the loop, and ended after it."""

    broker: Broker
    reports: Reports
    watch: Watch
    dataset: TableDataset
    labels: LabelsOfRun | None  # None: they stand in the rows
    announcements: Announcements | None  # None: nothing is announced to this run
    platform: Platform
    stop: StopSignal
    listeners: Sequence[Listener]

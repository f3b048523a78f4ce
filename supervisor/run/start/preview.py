"""What a pipeline's trigger policy would do with the rows that exist, without anything being trained."""

from __future__ import annotations

import msgspec

from shared.config.pipeline import Pipeline
from shared.dataset.table import TableDataset
from shared.ids import RunId
from supervisor.core.events import RunStarted
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.run.observe.observer import Observer


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Triggers on all rows, and the span of their event time; None where no row has a timestamp that it can have."""

    triggers: int
    rows: int
    first_us: int | None
    last_us: int | None


def preview(pipeline: Pipeline, dataset: TableDataset) -> Preview:
    """Let the policy see every row. Raises DataError, and RunFailedError for what the policy raises or asks."""
    started = RunStarted(
        time_us=0,
        run_id=RunId("preview"),
        mode="experiment",
        first_key=0,
        stop_key=dataset.rows,
        maximum_triggers=None,
    )
    observer, triggers = Observer(pipeline, dataset, RunState(settings=Settings.of(pipeline), started=started)), 0
    while not observer.at_end:
        event = observer.observe()
        triggers += len(event.triggers) if event else 0
    end = observer.end()
    return Preview(triggers=triggers, rows=dataset.rows, first_us=end.began_us, last_us=end.event_time_us)

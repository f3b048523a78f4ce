"""What a pipeline's trigger policy would do with the rows that exist, without anything being trained."""

from __future__ import annotations

import msgspec

from shared.blame import blaming
from shared.config.pipeline import Pipeline, Trigger
from shared.dataset.table import TableDataset
from shared.errors import RunFailedError
from shared.ids import RunId
from supervisor.core.events import RunStarted
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.run.observe.observer import Observer
from supervisor.triggers.build import policy_of
from supervisor.triggers.policy import StreamStart


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Triggers on all rows, None where only a run can say, and the span of their event time, None where no row has a
    timestamp that it can have.
    """

    triggers: int | None
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
        maximum_triggers=0 if (unknown := only_a_run_says(pipeline.trigger)) else None,
    )
    state, triggers = RunState(settings=Settings.of(pipeline), started=started), 0
    observer = Observer(pipeline, dataset, state)
    while not observer.at_end:
        event = observer.observe(state)
        triggers += len(event.triggers) if event else 0
    end = observer.end()
    return Preview(
        triggers=None if unknown else triggers, rows=dataset.rows, first_us=end.began_us, last_us=end.event_time_us
    )


def only_a_run_says(trigger: Trigger) -> bool:
    """Whether rows alone do not say when a policy fires. Raises RunFailedError for what it raises."""
    with blaming(f"trigger policy {trigger.name}", RunFailedError):
        policy = policy_of(trigger, StreamStart(first_key=0, event_time_us=0))
        return policy.asks or policy.hears_trainings

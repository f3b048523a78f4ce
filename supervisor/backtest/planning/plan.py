"""`plan`: which triggers would fire on the recorded stream, and what they would cost, without training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared.config.load import Configuration
from shared.plugins import GUARDS
from shared.strategies.build import strategy_of
from shared.temporary import scratch_folder
from shared.timestamps import format_timestamp
from supervisor.backtest.planning.train_rows import TrainRows
from supervisor.backtest.planning.without_training import WithoutTraining
from supervisor.backtest.replaying.local_answers import LocalAnswers
from supervisor.backtest.replaying.recorded_stream import RecordedStream
from supervisor.backtest.replaying.recording import open_recording
from supervisor.backtest.replaying.replay import Replayed, replay
from supervisor.run.start.first_events import Scope


def plan(configuration: Configuration, scope: Scope, *, per_sample_s: float | None = None) -> dict[str, Any]:
    """What `plan --json` prints. `per_sample_s`: seconds that all workers together train for each selected row.

    Raises ConfigurationError for a replay of nothing, NotReadyError for a dataset or detector that cannot be used, and
    RunFailedError for what the policy raises.
    """
    pipeline = configuration.pipeline
    with scratch_folder("plan") as folder:
        recording = open_recording(configuration, scope, folder)
        stream, labels = recording.stream, recording.labels
        rows = TrainRows(pipeline, stream.dataset, stream.start.first_usable_key) if labels is None else None
        costs = WithoutTraining(pipeline.trigger, rows, per_sample_s)
        with LocalAnswers(recording.record, [Path(configuration.system.path).parent]) as answers:
            found = replay(
                pipeline.trigger,
                stream,
                answers,
                costs,
                strategy=strategy_of(pipeline.strategy),
                labelling=recording.labelling(),
            )
        return _content(configuration, stream, found, costs)


def _content(
    configuration: Configuration, stream: RecordedStream, found: Replayed, costs: WithoutTraining
) -> dict[str, Any]:
    trigger, epochs = configuration.pipeline.trigger, configuration.pipeline.training.epochs
    triggers = list(_triggers(stream, found, costs))
    selected = [one["selected_at_most"] for one in triggers]
    total = None if None in selected else sum(selected)
    first, last = stream.batches[0], stream.batches[-1]
    return {
        "dataset": stream.dataset.config.name,
        "policy": trigger.name,
        "guards": [name for name in GUARDS if name in trigger.guards],
        "rows": stream.rows,
        "first_timestamp": format_timestamp(int(first.event_time_us[0])),
        "last_timestamp": format_timestamp(int(last.event_time_us[-1])),
        "triggers": triggers,
        "questions": len(found.questions),
        "near_misses": [{"key": one.key, "reason": one.reason} for one in found.considered],
        "violations": [
            {"first_key": one.first_key, "last_key": one.last_key, "on_violation": one.on_violation, "why": one.why}
            for one in found.violations
        ],
        "strategy": configuration.pipeline.strategy.name,
        "epochs": epochs,
        "selected_at_most": total,
        "trained_at_most": None if total is None else total * epochs,
        "train_s_at_most": _seconds(total, costs),
        "untold": None
        if found.untold is None
        else {
            "key": found.untold.key,
            "timestamp": format_timestamp(found.untold.timestamp_us),
            "why": found.untold.why,
        },
        "rough": costs.is_rough,
    }


def _triggers(stream: RecordedStream, found: Replayed, costs: WithoutTraining) -> Iterator[dict[str, Any]]:
    selected, before = {one.trigger: one.selected for one in costs.counted}, stream.batches[0].first_key - 1
    for one in found.fired:
        rows = selected.get(one.id)
        yield {
            "id": one.id,
            "key": one.key,
            "timestamp": format_timestamp(one.timestamp_us),
            "reason": one.reason,
            "samples_seen": one.key - before,
            "selected_at_most": rows,
            "train_s_at_most": _seconds(rows, costs),
        }
        before = one.key


def _seconds(rows: int | None, costs: WithoutTraining) -> float | None:
    return None if rows is None or costs.per_sample_s is None else rows * costs.per_sample_s

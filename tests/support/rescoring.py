"""Requests to score the windows of a run anew, made of the tasks that the run itself had, and what these came to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from one_process import OneProcess

from shared.messages.rescore import KeyRange, Mask, Rescore
from supervisor.compare.label_index import write_label_index
from supervisor.compare.run_to_score import RunToScore
from workers.alone import Alone
from workers.rescore import answer


def to_score(run: OneProcess) -> RunToScore:
    """What compares a run knows of it."""
    started = run.state.started
    return RunToScore(record=run.record, state=run.state, folder=run.directory.path, code=started.code)


def requests(run: OneProcess, number: int = 0) -> list[tuple[Rescore, dict[str, Any]]]:
    """For each window of the composite, in order: all of its rows, and the scores that workers have reported."""
    window = run.pipeline.evaluation.prequential
    mask = Mask(name=window.split, split=run.pipeline.data.split)
    found = []
    baselines = {task.trigger_id: (task, report) for task, report in run.done if task.kind == "baseline"}
    for scored, report in run.done:
        if scored.kind != "evaluate" or all(one.window != window.name for one in scored.stretches):
            continue
        task, without_model = baselines[scored.trigger_id]
        fired = run.state.trigger(scored.trigger_id).fired
        wanted = Rescore(
            run=number,
            trigger_id=scored.trigger_id,
            trigger_key=fired.key,
            trigger_timestamp_us=fired.timestamp_us,
            models=scored.models,
            ranges=(KeyRange(first_key=task.first_key, last_key=task.last_key),),
            masks=(mask,),
            history=task.history,
            first_labelled_key=task.first_labelled_key,
            classes=task.classes,
        )
        of_models: dict[str, Any] = {f"model {one.trigger_id}": () for one in scored.models}
        for score in report.scores:
            if score.window == window.name:
                of_models[f"model {score.trigger_id}"] += (score,)
        found.append((wanted, {**of_models, **without_model.scores}))
    return sorted(found, key=lambda one: one[0].trigger_id)


def answered(run: OneProcess, wanted: Sequence[Rescore], folder: Path) -> list[Any]:
    """The answers, as a process that is asked gives them; `folder`: for an index of labels, where one is needed."""
    record, process = run.record, Alone()
    if record.labels_uri is not None:
        write_label_index(to_score(run), max(one.ranges[-1].last_key for one in wanted), folder)
        record = msgspec.structs.replace(record, labels_uri=str(folder))
    return [answer(one, [record], process) for one in wanted]


def cut(wanted: Rescore, *keys: tuple[int, int], masks: Sequence[Mask] | None = None) -> Rescore:
    """Fewer rows of a window: those in ranges (first, last), and in all masks."""
    ranges = tuple(KeyRange(first_key=first, last_key=last) for first, last in keys)
    return msgspec.structs.replace(wanted, ranges=ranges, masks=wanted.masks if masks is None else tuple(masks))

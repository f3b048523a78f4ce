"""evaluate: scores of models, and for a gate also of what the deployment targets hold."""

from __future__ import annotations

from typing import Any

from shared.messages.reports import AnyReport, Evaluated, MetricValue, RivalScores, result_of
from shared.messages.tasks import EvaluateTask, Stretch
from shared.targets import open_target
from workers.stages.scoring import Rival, entrant, load_committed, meet, scoring_device, value
from workers.stages.work import Work


def run(work: Work) -> tuple[AnyReport, Any]:
    """Score every model on every stretch; for a gate also what the targets hold. Raises ArtifactError, DataError."""
    task = work.task
    assert isinstance(task, EvaluateTask)
    device = scoring_device(work, task.device)
    models = [load_committed(work, ref.object, device) for ref in task.models]
    scores: list[MetricValue] = []
    told: list[RivalScores] = []
    for stretch in task.stretches:
        rivals = _rivals(work, stretch, device) if task.gate else []
        entrants = [entrant(work, model, stretch) for model in models]
        rows = meet(work, stretch, [*entrants, *(one for rival in rivals for one in rival.entrants)])
        for ref, one in zip(task.models, entrants, strict=True):
            scores += [value(score, ref.trigger_id, stretch, rows) for score in one.scores()]
        told += [rival.scores(stretch, rows) for rival in rivals]
    report = Evaluated(**work.who, scores=tuple(scores), rivals=tuple(told))
    return report, result_of(report) if task.gate else {}


def _rivals(work: Work, stretch: Stretch, device: str) -> list[Rival]:
    """What the deployment targets hold now, each model once."""
    held: dict[str, Rival] = {}
    for target in work.record.targets:
        folder = open_target(target)
        record = folder.held()
        if record is not None and record.sha256 not in held:
            held[record.sha256] = Rival(work, folder, record, stretch, device)
    return list(held.values())

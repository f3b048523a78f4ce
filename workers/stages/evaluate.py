"""evaluate: scores of models, and for a gate also of what the deployment targets hold."""

from __future__ import annotations

from typing import Any

from shared.messages.reports import AnyReport, Evaluated, MetricScore, MetricValue, RivalScores, result_of
from shared.messages.tasks import EvaluateTask, Stretch
from shared.targets import open_target
from workers.stages.estimating import Estimating
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
    estimating = Estimating(work, task)
    for stretch in task.stretches:
        rivals = _rivals(work, stretch, device) if task.gate else []
        entrants = [entrant(work, model, stretch) for model in models]
        beside = [
            estimating.beside(stretch, ref.trigger_id, model, one)
            for ref, model, one in zip(task.models, models, entrants, strict=True)
        ]
        rows = meet(work, stretch, [*entrants, *(one for rival in rivals for one in rival.entrants)])
        for ref, one, estimation in zip(task.models, entrants, beside, strict=True):
            found = one.scores()
            estimated = estimating.estimated(stretch, ref.trigger_id, found, estimation)
            found = [_awaited(score) for score in found] if task.early else found
            scores += [value(score, ref.trigger_id, stretch, rows, estimated.get(score.metric)) for score in found]
        told += [rival.scores(stretch, rows) for rival in rivals]
    report = Evaluated(**work.who, scores=tuple(scores), rivals=tuple(told), estimates=tuple(estimating.told))
    return report, result_of(report) if task.gate else {}


def _awaited(score: MetricScore) -> MetricScore:
    """A score that is to come: some labels may be known by now, and they say nothing of the others."""
    return MetricScore(metric=score.metric, value=None, n=0, error="labels are waited for")


def _rivals(work: Work, stretch: Stretch, device: str) -> list[Rival]:
    """What the deployment targets hold now, each model once."""
    held: dict[str, Rival] = {}
    for target in work.record.targets:
        folder = open_target(target)
        record = folder.held()
        if record is not None and record.sha256 not in held:
            held[record.sha256] = Rival(work, folder, record, stretch, device)
    return list(held.values())

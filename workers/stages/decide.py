"""decide: judge the candidate against what each target holds now, and put it there if it passes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import msgspec

from shared.config.pipeline import Target
from shared.errors import ArtifactError, ArtifactLostError
from shared.messages.reports import AnyReport, Decided, MetricScore, MetricValue, RivalScores, TargetDecision
from shared.messages.tasks import DecideTask
from shared.targets import open_target
from shared.targets.target import Candidate, DeploymentTarget, Record
from workers.deployment.gate import Verdict, judge
from workers.models.model_file import unpack
from workers.stages.scoring import Rival, meet, scoring_device
from workers.stages.work import Work

_TRIES = 5  # how often a target may change while the candidate is judged


def run(work: Work) -> tuple[AnyReport, Any]:
    """Decide for one target after the other. Raises ArtifactError, NotReadyError, DataError."""
    task = work.task
    assert isinstance(task, DecideTask)
    if any("failed" in result for result in work.results):
        raise ArtifactError("an evaluation that the gate needs failed; see the journal")
    decision = _Decision(work, task)
    return Decided(**work.who, targets=tuple(map(decision.take, work.record.targets))), {}


class _Decision:
    """One candidate, its scores, and what else has been scored on the same rows."""

    def __init__(self, work: Work, task: DecideTask) -> None:
        pipeline = work.record.pipeline
        assert pipeline.deployment is not None
        self._work, self._task, self._gate = work, task, pipeline.deployment.gate
        self._metric = next(
            (m.name for m in pipeline.evaluation.metrics if self._gate and m.label == self._gate.metric), None
        )
        self._scores = [msgspec.convert(one, MetricValue) for result in work.results for one in result["scores"]]
        rivals = [msgspec.convert(one, RivalScores) for result in work.results for one in result["rivals"]]
        self._rivals = {one.sha256: one for one in rivals}
        body = work.store.read(task.candidate.object)
        header = unpack(body).header
        self._candidate = Candidate(
            run=task.run_id,
            trigger=task.trigger_id,
            attempt=work.attempt_name,
            pipeline=pipeline.pipeline.name,
            model=pipeline.model.id,
            body=body,
            classes=header.classes.names if header is not None and header.classes is not None else None,
        )

    def take(self, target: Target) -> TargetDecision:
        """Judge, and switch if the target still holds what the candidate was judged against; else judge anew."""
        folder = open_target(target)
        for _ in range(_TRIES):
            folder.show()
            held = folder.held()
            again = self._lost(folder, held)
            taken = None if again else self._taken(folder, held, target)
            if taken is not None:
                return taken
            verdict = again or self._judge(folder, held)
            if not verdict.deploy:
                return _told(target, held, deployed=False, reason=verdict.reason)
            switched = folder.switch(self._candidate, held, verdict.reason)
            if switched is not None:
                return _told(target, switched, deployed=True, reason=verdict.reason)
        reason = f"{target.name} was given another model {_TRIES} times while this one was judged"
        return _told(target, folder.held(), deployed=False, reason=reason)

    def _lost(self, folder: DeploymentTarget, held: Record | None) -> Verdict | None:
        """What this candidate was deployed for, if it is what the target holds and its object is gone; else None."""
        if held is None or (held.run, held.trigger) != (self._task.run_id, self._task.trigger_id):
            return None
        try:
            folder.body(held)
        except ArtifactLostError:
            return Verdict(deploy=True, reason=held.reason)
        return None

    def _taken(self, folder: DeploymentTarget, held: Record | None, target: Target) -> TargetDecision | None:
        """What this run has decided here already: for this model, by an attempt that was lost, or for a later one.

        What the target holds counts however long the run knows of it: a copy of the run may have gone on before, or its
        journal have lost its end. Only then all of the target's log is read.
        """
        held_too = (held,) if held is not None else ()
        newer = folder.since(self._task.known.get(target.name, 0))
        later = next((one for one in (*held_too, *newer) if self._is_ours(one)), None)
        if later is None:
            return None
        for record in itertools.chain(held_too, folder.since(0)):
            if self._is_ours(record) and record.trigger == self._task.trigger_id:
                return _told(target, held, deployed=True, reason=record.reason)
        reason = f"model {later.trigger} of this run was deployed meanwhile, which is newer"
        return _told(target, held, deployed=False, reason=reason)

    def _is_ours(self, record: Record) -> bool:
        """Whether it is of this run, and no older than the candidate."""
        return record.run == self._task.run_id and record.trigger >= self._task.trigger_id

    def _judge(self, folder: DeploymentTarget, held: Record | None) -> Verdict:
        rival, name = None, None
        if held is not None and self._gate is not None:
            rival = self._of(self._rival(folder, held).scores)
            name = str(held.trigger) if held.run == self._task.run_id else f"{held.trigger} of run {held.run}"
        return judge(self._gate, self._metric, self._of(self._scores), rival, name)

    def _rival(self, folder: DeploymentTarget, held: Record) -> RivalScores:
        """Its scores, unless it came while the candidate was judged: then it is scored here."""
        stretch = self._task.gate
        if held.sha256 not in self._rivals and stretch is not None:
            rival = Rival(self._work, folder, held, stretch, scoring_device(self._work, self._task.device))
            self._rivals[held.sha256] = rival.scores(stretch, meet(self._work, stretch, rival.entrants))
        return self._rivals[held.sha256]

    def _of(self, scores: Iterable[MetricValue]) -> MetricScore | None:
        """The score that the gate looks at."""
        for one in scores:
            if self._gate is not None and (one.window, one.metric) == (self._gate.on, self._gate.metric):
                return one
        return None


def _told(target: Target, held: Record | None, *, deployed: bool, reason: str) -> TargetDecision:
    """What the supervisor hears of one target."""
    return TargetDecision(
        name=target.name,
        deployed=deployed,
        reason=reason,
        decision=held.decision if held else None,
        run=held.run if held else None,
        trigger=held.trigger if held else None,
    )

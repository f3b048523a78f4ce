"""Gathers what the events of a run say of scores and triggers, for evaluations.csv and summary.json."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import msgspec

from shared.config.pipeline import Pipeline
from shared.ids import parts_of
from shared.messages import (
    Baselined,
    Claimed,
    Decided,
    Evaluated,
    Failed,
    MetricValue,
    Released,
    Report,
    Selected,
    TargetDecision,
    Trained,
)
from supervisor.core.attempts import is_hopeless
from supervisor.core.events import AnyEvent, Ended, Garbled, LeaseExpired, Reported, Unclaimed
from supervisor.core.state import RunState
from supervisor.results.composite import Composite, composite

Windows = dict[str, dict[int, dict[str, MetricValue]]]  # whose → trigger → metric → score


class TriggerFacts(msgspec.Struct, kw_only=True):
    """What was reported of one trigger."""

    samples_selected: int = 0
    train_s: float | None = None
    deployed: bool = False  # to the first target
    reason: str = ""  # of that decision
    errors: dict[str, str] = msgspec.field(default_factory=dict)  # stage → why it failed, until it is done after all


class Tally:
    """A second fold over the journal, beside the state: it only grows, and decides nothing."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._metrics = [metric.label for metric in pipeline.evaluation.metrics]
        self._window = pipeline.evaluation.prequential.name
        self.scores: list[MetricValue] = []
        self.facts: defaultdict[int, TriggerFacts] = defaultdict(TriggerFacts)
        self.targets: dict[str, TargetDecision] = {}  # the last decision for each
        self.republished = self.workers_lost = self.reconnects = 0
        self.ended_because: str | None = None
        self._prequential: Windows = defaultdict(dict)

    def record(self, event: AnyEvent, before: RunState) -> None:
        """Take note of an event; `before` is the state it met, which says whether the report counts."""
        if isinstance(event, LeaseExpired | Garbled | Unclaimed) and event.task_id in before.tasks:
            given_up = isinstance(event, LeaseExpired | Garbled) and is_hopeless(before, event.task_id)
            self.republished += not given_up
        elif isinstance(event, Ended):
            self.workers_lost += event.workers_lost
            self.reconnects += event.reconnects
            self.ended_because = event.reason
        elif isinstance(event, Reported):
            self._reported(event, before)

    def _reported(self, event: Reported, before: RunState) -> None:
        report: Any = event.report
        if not isinstance(report, Report) or before.answered_by(report) is None:
            return
        trigger_id, stage = parts_of(report.task_id).trigger_id, parts_of(report.task_id).stage
        facts = self.facts[trigger_id]
        if not isinstance(report, Claimed | Failed | Released):
            facts.errors.pop(stage, None)
        match report:
            case Selected():
                facts.samples_selected = report.samples
            case Trained():
                facts.train_s = report.train_s
            case Decided():
                facts.deployed, facts.reason = report.targets[0].deployed, report.targets[0].reason
                self.targets |= {told.name: told for told in report.targets}
            case Failed(device=True) if not is_hopeless(before, report.task_id):
                self.republished += 1
            case Failed():
                facts.errors[stage] = report.sentence
            case Evaluated():
                self._evaluated(report, trigger_id, stage)
            case Baselined():
                for name, scores in report.scores.items():
                    self._note(name, trigger_id, scores)
            case _:
                pass

    def composites(self, state: RunState) -> dict[str, dict[str, Composite]]:
        """Whose → metric → composite, for the pipeline, what was deployed, and every baseline, on the same rows."""
        own = self._prequential["pipeline"]
        followed = {"pipeline": own, "deployed": {}, "first_model": {}}
        for index in own:
            followed["first_model"][index] = self._prequential[f"model {state.first_model}"].get(index, {})
            deployed = state.trigger(index).deployed_after
            followed["deployed"][index] = self._prequential[f"model {deployed}"].get(index, {})
        for name in ("majority", "no_change"):
            followed[name] = {index: self._prequential[name].get(index, {}) for index in own}
        return {
            name: {metric: self._composite(windows, own, metric, name) for metric in self._metrics}
            for name, windows in followed.items()
        }

    def _composite(
        self, windows: dict[int, dict[str, MetricValue]], own: dict[int, dict[str, MetricValue]], metric: str, name: str
    ) -> Composite:
        """On the windows where the pipeline's own score is defined; its own counts those where it is not."""
        chosen = {
            index: scores.get(metric)
            for index, scores in windows.items()
            if name == "pipeline" or own[index][metric].value is not None
        }
        return composite(chosen)

    def _evaluated(self, report: Evaluated, trigger_id: int, stage: str) -> None:
        for score in report.scores:
            if score.trigger_id == trigger_id:
                self.scores.append(score)
        if stage == "score":
            scores = [score for score in report.scores if score.window == self._window]
            self._note("pipeline", trigger_id, [one for one in scores if one.trigger_id == trigger_id])
            for model in {score.trigger_id for score in scores}:
                self._note(f"model {model}", trigger_id, [one for one in scores if one.trigger_id == model])

    def _note(self, whose: str, trigger_id: int, scores: Any) -> None:
        self._prequential[whose][trigger_id] = {score.metric: score for score in scores}

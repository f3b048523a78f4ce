"""Gathers what is noticed of a run's scores, triggers and faults, for evaluations.csv and summary.json."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec

from shared.config.pipeline import Pipeline
from shared.ids import parts_of
from shared.messages.reports import (
    Baselined,
    Decided,
    Estimated,
    Evaluated,
    FeatureNotes,
    MetricValue,
    Selected,
    TargetDecision,
    Trained,
)
from shared.plugins import METRICS
from supervisor.core.notices import (
    Listener,
    Result,
    ResultCounted,
    RowsNotAsExpected,
    RunEnded,
    TaskGivenUp,
    TaskPublishedAgain,
    Told,
)
from supervisor.core.seen import Violated
from supervisor.core.state import RunState
from supervisor.results.composite import Composite, composite
from supervisor.results.estimates import Place, estimates_of

Windows = dict[str, dict[int, dict[str, MetricValue]]]  # whose → trigger → metric → score


class TriggerFacts(msgspec.Struct, kw_only=True):
    """What was reported of one trigger."""

    samples_selected: int = 0
    selected_by: str | None = None  # whose turn it was, where strategies take turns
    select_s: float | None = None
    train_s: float | None = None
    dropped: dict[str, int] = msgspec.field(default_factory=dict)  # label column → rows without a label
    unscored: dict[str, int] = msgspec.field(default_factory=dict)  # likewise, in the window behind the trigger
    features: FeatureNotes = msgspec.field(default_factory=FeatureNotes)
    deployed: bool = False  # to the first target
    reason: str = ""  # of that decision
    errors: dict[str, str] = msgspec.field(default_factory=dict)  # stage → why it failed, until it is done after all

    @property
    def nulls(self) -> dict[str, int]:
        """Column → nulls that were filled in, or for which a row was dropped."""
        return dict(sorted((self.features.imputed | self.dropped).items()))


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that were scored, and event time at the first and the last of them; None if there are none."""

    rows: int
    first_us: int | None
    last_us: int | None


class Tally(Listener):
    """Listens to a run from its first event on, also when that is read from the journal. It only grows."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._metrics = [metric.label for metric in pipeline.evaluation.metrics]
        self.task = METRICS[pipeline.evaluation.metrics[0].name].task  # whether labels are told apart or estimated
        self.price = pipeline.trigger.price
        self._window = pipeline.evaluation.prequential.name
        self._evaluation = pipeline.evaluation
        self._scores: list[MetricValue] = []
        self._estimates: list[Estimated] = []  # how scores were estimated
        self._early: dict[int, Evaluated] = {}  # trigger → estimates of its window, until it is scored
        self.facts: defaultdict[int, TriggerFacts] = defaultdict(TriggerFacts)
        self.targets: dict[str, TargetDecision] = {}  # the last decision for each
        self.violations: list[Violated] = []  # in key order
        self.republished = self.workers_lost = self.reconnects = 0
        self.ended_because: str | None = None
        self._prequential: Windows = defaultdict(dict)

    def hear(self, told: Told) -> None:
        """Take note of what happened."""
        match told:
            case ResultCounted():
                self._counted(told.report)
            case RowsNotAsExpected():
                self.violations.append(told.violated)
            case TaskPublishedAgain():
                self.republished += 1
            case TaskGivenUp():
                parts = parts_of(told.task_id)
                self.facts[parts.trigger_id].errors[parts.stage] = told.sentence
            case RunEnded():
                self.workers_lost += told.workers_lost
                self.reconnects += told.reconnects
                self.ended_because = told.reason
            case _:
                pass

    def _counted(self, report: Result) -> None:
        parts = parts_of(report.task_id)
        facts = self.facts[parts.trigger_id]
        facts.errors.pop(parts.stage, None)
        match report:
            case Selected():
                facts.samples_selected, facts.dropped = report.samples, report.dropped
                facts.select_s, facts.selected_by = report.select_s, report.chosen.by
            case Trained():
                facts.train_s, facts.features = report.train_s, report.features
            case Decided():
                facts.deployed, facts.reason = report.targets[0].deployed, report.targets[0].reason
                self.targets |= {told.name: told for told in report.targets}
            case Evaluated():
                self._evaluated(report, parts.trigger_id, parts.stage)
            case Baselined():
                facts.unscored = report.dropped
                for name, scores in report.scores.items():
                    self._note(name, parts.trigger_id, scores)
            case _:
                pass

    @property
    def scores(self) -> list[MetricValue]:
        """Of all windows, each by its own model; and of those that wait for labels, what they are expected to be."""
        early = (score for told in self._early.values() for score in told.scores if score.estimated is not None)
        return [*self._scores, *early]

    def dropped(self) -> Iterator[int]:
        """Rows without a label, of those that each trigger was the first to know."""
        return (count for facts in self.facts.values() for count in facts.dropped.values())

    def windows(self, state: RunState) -> Windows:
        """Scores on the windows of the composite: the pipeline's own, and on these what was deployed, and baselines."""
        own = self._prequential["pipeline"]
        followed: Windows = {"pipeline": own, "deployed": {}, "first_model": {}}
        for index in own:
            followed["first_model"][index] = self._prequential[f"model {state.models.first}"].get(index, {})
            deployed = state.trigger(index).deployed_after
            followed["deployed"][index] = self._prequential[f"model {deployed}"].get(index, {})
        for name in ("majority", "no_change"):
            followed[name] = {index: self._prequential[name].get(index, {}) for index in own}
        return followed

    def composites(self, state: RunState) -> dict[str, dict[str, Composite]]:
        """Whose → metric → composite, for the pipeline, what was deployed, and every baseline, on the same rows."""
        followed = self.windows(state)
        own = followed["pipeline"]
        return {
            name: {metric: self._composite(windows, own, metric, name) for metric in self._metrics}
            for name, windows in followed.items()
        }

    def estimated(self) -> dict[str, Any] | None:
        """How the estimates compare with what came; None where nothing is estimated."""
        if self._evaluation.estimate is None:
            return None
        made = chain(self._estimates, *(told.estimates for told in self._early.values()))
        own: dict[Place, Estimated] = {(one.trigger_id, one.window, one.slice): one for one in made}
        return estimates_of(self.scores, own, self._evaluation)

    def composite_rows(self) -> Stretch:
        """The rows that the pipeline's composites are a mean over, in whatever metric."""
        windows = [
            next(one for one in scores.values() if one.value is not None)
            for scores in self._prequential["pipeline"].values()
            if any(one.value is not None for one in scores.values())
        ]
        return Stretch(
            rows=sum(one.n for one in windows),
            first_us=min(
                (one.first_timestamp_us for one in windows if one.first_timestamp_us is not None), default=None
            ),
            last_us=max((one.last_timestamp_us for one in windows if one.last_timestamp_us is not None), default=None),
        )

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
        own = [score for score in report.scores if score.trigger_id == trigger_id]
        if stage == "estimate":
            self._early[trigger_id] = report
            return
        self._scores += own
        self._estimates += [one for one in report.estimates if one.trigger_id == trigger_id]
        if stage == "score":
            self._early.pop(trigger_id, None)
            scores = [score for score in report.scores if score.window == self._window]
            self._note("pipeline", trigger_id, [one for one in scores if one.trigger_id == trigger_id])
            for model in {score.trigger_id for score in scores}:
                self._note(f"model {model}", trigger_id, [one for one in scores if one.trigger_id == model])

    def _note(self, whose: str, trigger_id: int, scores: Any) -> None:
        self._prequential[whose][trigger_id] = {score.metric: score for score in scores}

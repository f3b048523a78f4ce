"""What is counted as it happens: results, failures, deployments, the newest loss and the newest scores."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import Metric as Family

from shared.config.pipeline import Pipeline
from shared.exposition.metric import Labels, Metric, Tally
from shared.ids import STAGES, parts_of
from shared.messages.reports import Baselined, Decided, Evaluated, MetricValue, Progress, Selected, Trained
from supervisor.core.notices import (
    FaultSurvived,
    Listener,
    Result,
    ResultCounted,
    RowsNotAsExpected,
    RunEnded,
    RunForgotten,
    TaskGivenUp,
    TaskPublishedAgain,
    Told,
    TriggerConsidered,
)

DONE = Metric("modyn_tasks_done_total", "Tasks whose result counted.", ("stage",))
FAILED = Metric(
    "modyn_tasks_failed_total", "Tasks that were given up: their trigger failed, or the run ends.", ("stage",)
)
AGAIN = Metric("modyn_tasks_republished_total", "Attempts that came to nothing and were published again.", ("stage",))
SELECTED = Metric("modyn_selected_rows_total", "Rows of all training sets.")
TRAINED = Metric("modyn_trained_rows_total", "Rows that finished trainings learned from, each as often as it was seen.")
TRAINING = Metric("modyn_training_seconds_total", "What finished trainings took, until each was trained.")
LOSS = Metric("modyn_training_loss", "The newest loss that a training told.")
DECIDED = Metric("modyn_decisions_total", "Models that were deployed to a target, or refused.", ("target", "outcome"))
DEPLOYED = Metric("modyn_deployment_timestamp_seconds", "When a target was given a model last.", ("target",))
SCORE = Metric(
    "modyn_score", "Score of the newest model that was scored in a window; NaN: undefined.", ("metric", "window")
)
BASELINE = Metric(
    "modyn_baseline_score",
    "The newest score of a baseline; majority is the mean so far where labels are numbers.",
    ("baseline", "metric"),
)
LOST = Metric("modyn_workers_lost_total", "Workers of this supervisor that died and were started again.")
RECONNECTS = Metric("modyn_broker_reconnects_total", "How often the broker came back.")
NEARLY = Metric("modyn_near_misses_total", "Looks of the trigger policy that led to no trigger.")
UNEXPECTED = Metric("modyn_violations_total", "Triggers whose rows were not as expected.", ("on_violation",))
FORGOTTEN = Metric("modyn_broker_forgot_total", "How often Redis had forgotten the run.")


class Newest:
    """The newest value of each kind, whatever order they come in."""

    def __init__(self) -> None:
        self._found: dict[Labels, tuple[tuple[int, int], float]] = {}

    def note(self, labels: Labels, score: MetricValue) -> None:
        """A score; an older one than is known counts for nothing."""
        age = (score.trigger_id, score.last_timestamp_us or 0)
        if labels not in self._found or age >= self._found[labels][0]:
            self._found[labels] = (age, math.nan if score.value is None else score.value)

    def samples(self) -> dict[Labels, float]:
        """Those that there are."""
        return {labels: value for labels, (_, value) in self._found.copy().items()}


class Heard(Listener):
    """Counts in this session. What a label says is named in pipeline.yaml or by us: none grows with the triggers."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._epochs = pipeline.training.epochs
        stages = [(stage,) for stage in STAGES]
        self._done, self._failed, self._again = Tally(*stages), Tally(*stages), Tally(*stages)
        targets = [target.name for target in pipeline.deployment.targets] if pipeline.deployment else []
        self._decided = Tally(*((name, outcome) for name in targets for outcome in ("deployed", "refused")))
        self._selected, self._trained, self._training, self._forgotten = Tally(()), Tally(()), Tally(()), Tally(())
        self._nearly = Tally(())
        self._unexpected = Tally(("hold",), ("skip",), ("alert",))
        self._deployed: dict[Labels, float] = {}
        self._loss: float | None = None
        self._scores, self._baselines = Newest(), Newest()
        self._survived = FaultSurvived(workers_lost=0, reconnects=0)

    def hear(self, told: Told) -> None:
        """Count it."""
        match told:
            case ResultCounted():
                self._done.add(parts_of(told.report.task_id).stage)
                self._result(told.report)
            case Progress():
                self._loss = told.loss
            case TaskPublishedAgain():
                self._again.add(parts_of(told.task_id).stage)
            case TaskGivenUp():
                self._failed.add(parts_of(told.task_id).stage)
            case TriggerConsidered():
                self._nearly.add()
            case RowsNotAsExpected():
                self._unexpected.add(told.violated.on_violation)
            case RunForgotten():
                self._forgotten.add()
            case FaultSurvived():
                self._survived = told
            case RunEnded():
                self._survived = FaultSurvived(workers_lost=told.workers_lost, reconnects=told.reconnects)
            case _:
                pass

    def _result(self, report: Result) -> None:
        match report:
            case Selected():
                self._selected.add(by=report.samples)
            case Trained():
                self._trained.add(by=report.features.rows * self._epochs)
                self._training.add(by=report.train_s)
                self._loss = report.loss
            case Evaluated():
                parts = parts_of(report.task_id)
                if parts.stage != "estimate":  # those scores are to come
                    self._note(one for one in report.scores if one.trigger_id == parts.trigger_id)
            case Baselined():
                for name, scores in report.scores.items():
                    for score in scores:
                        self._baselines.note((name, score.metric), score)
            case Decided():
                for target in report.targets:
                    self._decided.add(target.name, "deployed" if target.deployed else "refused")
                    if target.deployed:
                        self._deployed[target.name,] = time.time()
            case _:
                pass

    def _note(self, scores: Iterable[MetricValue]) -> None:
        for score in scores:
            self._scores.note((score.metric, score.window), score)

    def families(self) -> Iterator[Family]:
        """All of it as it is now."""
        yield DONE.counter(self._done.samples())
        yield FAILED.counter(self._failed.samples())
        yield AGAIN.counter(self._again.samples())
        yield SELECTED.counter(self._selected.samples())
        yield TRAINED.counter(self._trained.samples())
        yield TRAINING.counter(self._training.samples())
        yield LOSS.gauge(self._loss)
        yield DECIDED.counter(self._decided.samples())
        yield DEPLOYED.gauge(self._deployed.copy())
        yield SCORE.gauge(self._scores.samples())
        yield BASELINE.gauge(self._baselines.samples())
        yield LOST.counter(self._survived.workers_lost)
        yield RECONNECTS.counter(self._survived.reconnects)
        yield NEARLY.counter(self._nearly.samples())
        yield UNEXPECTED.counter(self._unexpected.samples())
        yield FORGOTTEN.counter(self._forgotten.samples())

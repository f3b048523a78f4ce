"""A run of three triggers, told to a tally event by event."""

from __future__ import annotations

from run_of_events import decision, run_started

from shared.artifacts import ArtifactRef
from shared.config.load import load_configuration
from shared.ids import RunId, TriggerId, WorkerId, task_id
from shared.messages.reports import Baselined, Decided, Evaluated, Failed, FeatureNotes, MetricValue, Selected, Trained
from shared.messages.tasks import BaselineTask, DecideTask, EvaluateTask, GatherTask, ModelRef, SelectTask, TrainTask
from supervisor.core.events import LeaseExpired, Reported
from supervisor.core.open_tasks import OpenTask, OpenTasks
from supervisor.core.seen import Fired
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.core.trigger_state import Phase, TriggerState
from supervisor.results.tally import Tally

RUN = RunId("run")
OBJECT = ArtifactRef(name="m", sha256="0", size_bytes=1)
WHO = {"run_id": RUN, "setup_version": 1}


def value(trigger, metric, number, n=10, window="next", slice_="", error=None):
    """A score."""
    return MetricValue(
        trigger_id=TriggerId(trigger),
        window=window,
        slice=slice_,
        metric=metric,
        value=number,
        n=n,
        first_timestamp_us=0,
        last_timestamp_us=1,
        error=error if number is not None else error or "one class only",
    )


class ToldRun:
    """A tally, and the state that goes with it."""

    def __init__(self, workplace):
        workplace.write()
        files = (workplace.folder / "pipeline.yaml", workplace.folder / "config.yaml")
        pipeline = load_configuration(*files, experiment_mode=True).pipeline
        self.tally = Tally(pipeline)
        self.state = RunState(settings=Settings.of(pipeline), started=run_started(RUN), status="finished")

    def trigger(self, index, deployed=None, phase=Phase.COMMITTED):
        """Trigger `index` at key 10 · (index + 1) − 1, and what was deployed after its decision."""
        fired = Fired(id=TriggerId(index), key=10 * index + 9, timestamp_us=0, reason="10 rows")
        made = TriggerState(fired=fired, first_key=10 * index, phase=phase, decided=True, deployed_after=deployed)
        first = index if self.state.models.first is None and phase is Phase.COMMITTED else self.state.models.first
        self.state = self.state.but(triggers=self.state.triggers.set(index, made), deployed=deployed)
        self.state = self.state.with_stream(observed_key=fired.key).with_models(first=first)

    def report(self, kind, stage, index, task, *, attempt=1, **fields):
        """A worker's report of an open task at attempt 1."""
        identifier = task_id(RUN, TriggerId(index), stage)
        before = self.state.but(tasks=OpenTasks.of({identifier: OpenTask(task=task)}), status="stopped")
        report = kind(task_id=identifier, attempt=attempt, worker=WorkerId("w"), **fields)
        self.hear(Reported(time_us=0, position="1", report=report), before)

    def hear(self, event, before):
        """What an event means, in this state, is heard by the tally."""
        for notice in transition(before, event)[2]:
            self.tally.hear(notice)

    def scored(self, index, *values, attempt=1):
        """The window of trigger `index` was scored."""
        task = EvaluateTask(**WHO, trigger_id=TriggerId(index), models=(), stretches=())
        self.report(Evaluated, "score", index, task, scores=values, attempt=attempt)

    def sliced(self, index, *values):
        """Slices were scored."""
        task = EvaluateTask(**WHO, trigger_id=TriggerId(index), models=(), stretches=())
        self.report(Evaluated, "slices", index, task, scores=values)

    def baselined(self, index, dropped=0, **scores):
        """The window's baselines were scored."""
        of = {"first_key": 0, "last_key": 0, "history": None, "unknown_key": 0, "first_labelled_key": 9}
        task = BaselineTask(**WHO, trigger_id=TriggerId(index), **of)
        self.report(
            Baselined, "baseline", index, task, scores=scores, history={}, dropped={"label": dropped} if dropped else {}
        )

    def selected(self, index, samples, **dropped):
        """A training set was written."""
        task = SelectTask(
            **WHO,
            trigger_id=TriggerId(index),
            first_key=0,
            previous=(),
            labelled_key=9,
            trigger_key=9,
            trigger_timestamp_us=0,
            first_labelled_key=9,
        )
        self.report(
            Selected,
            "select",
            index,
            task,
            training_set=OBJECT,
            samples=samples,
            rows_read=10,
            watermark_key=9,
            dropped=dropped,
            select_s=0.5,
        )

    def trained(self, index, train_s, features=FeatureNotes()):  # noqa: B008 - it cannot be changed
        """A member was trained."""
        task = TrainTask(
            **WHO, trigger_id=TriggerId(index), member=0, training_set=OBJECT, trigger_key=9, previous_model=None
        )
        self.report(
            Trained, "train", index, task, member=OBJECT, train_s=train_s, loss=0.5, device="cpu", features=features
        )

    def decided(self, index, deployed, reason):
        """The gate was judged."""
        candidate = ModelRef(trigger_id=TriggerId(index), object=OBJECT)
        task = DecideTask(**WHO, trigger_id=TriggerId(index), candidate=candidate, gate=None, device="cpu", known={})
        self.report(Decided, "decide", index, task, **decision(deployed, index if deployed else None, RUN, reason))

    def failed(self, index, sentence):
        """A training failed."""
        task = GatherTask(**WHO, trigger_id=TriggerId(index))
        self.report(Failed, "train", index, task, sentence=sentence, traceback="")

    def lease_expired(self, index):
        """A worker was lost."""
        identifier = task_id(RUN, TriggerId(index), "train")
        before = self.state.but(
            tasks=OpenTasks.of({identifier: OpenTask(task=GatherTask(**WHO, trigger_id=TriggerId(index)))})
        )
        self.hear(LeaseExpired(time_us=0, task_id=identifier, attempt=1), before)

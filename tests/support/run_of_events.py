"""A run on the pure transition: a test tells it events and looks at the commands."""

from __future__ import annotations

from typing import Any, Literal

from workplace import Workplace

from shared.artifacts import ArtifactRef
from shared.config.load import load_configuration
from shared.ids import RunId, TriggerId, WorkerId, task_id
from shared.messages.reports import Gathered, Selected, TargetDecision, Trained
from supervisor.core.events import Observed, Reported, RunStarted
from supervisor.core.seen import Fired
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition

RUN = RunId("run")


def run_started(run_id: RunId = RUN, mode: Literal["experiment", "production"] = "experiment") -> RunStarted:
    """A run begins at key 0, and goes as far as there are rows."""
    return RunStarted(time_us=0, run_id=run_id, mode=mode, first_key=0, stop_key=None, maximum_triggers=None)


class Run:
    """A run that is told events, and remembers what came of the last one."""

    def __init__(self, small: Workplace, **training: Any) -> None:
        small.pipeline["training"].update(training)
        small.write()
        files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
        pipeline = load_configuration(*files, experiment_mode=True).pipeline
        self.state = RunState(settings=Settings.of(pipeline))
        self.tell(run_started())

    def tell(self, event: Any) -> list[Any]:
        """The commands that an event brings; its notices are kept."""
        self.state, commands, self.notices = transition(self.state, event)
        return commands

    def fire(self, *keys: int) -> list[Any]:
        """Triggers at these keys."""
        start = len(self.state.triggers)
        fired = [Fired(id=TriggerId(start + n), key=k, timestamp_us=k, reason="") for n, k in enumerate(keys)]
        return self.tell(Observed(time_us=0, key=keys[-1], event_time_us=keys[-1], triggers=tuple(fired)))

    def fire_next(self) -> list[Any]:
        """One more trigger, a row after the last."""
        return self.fire(self.state.stream.observed_key + 1)

    def report(self, kind: type, stage: str, trigger: int = 0, attempt: int = 1, **facts: Any) -> list[Any]:
        """A worker's report of a stage."""
        who = task_id(RUN, TriggerId(trigger), stage)
        told = kind(task_id=who, attempt=attempt, worker=WorkerId("w"), **facts)
        return self.tell(Reported(time_us=0, position="1-0", report=told))

    def select(self, trigger: int = 0, samples: int = 9) -> list[Any]:
        """The training set of a trigger is written."""
        facts = {"training_set": ref("sets/.0.1-w.parquet"), "samples": samples, "rows_read": 10, "watermark_key": 9}
        return self.report(Selected, "select", trigger, **facts)

    def train(self, trigger: int = 0) -> list[Any]:
        """The member is trained and gathered."""
        self.report(Trained, "train", trigger, member=ref("m"), train_s=1.0, loss=0.5, device="cpu")
        return self.report(Gathered, "gather", trigger, model=ref(f"models/{trigger}/.model.safetensors"))


def ref(name: str) -> ArtifactRef:
    """An object somewhere."""
    return ArtifactRef(name=name, sha256="0", size_bytes=1)


def decision(deployed: bool, holds: int | None, run: RunId = RUN, reason: str = "") -> dict[str, Any]:
    """What `Decided` says of one target, which then holds a run's model."""
    whose = {"run": None, "trigger": None, "decision": None}
    if holds is not None:
        whose = {"run": run, "trigger": TriggerId(holds), "decision": holds + 1}
    return {"targets": (TargetDecision(name="deployed", deployed=deployed, reason=reason, **whose),)}

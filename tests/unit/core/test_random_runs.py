"""Runs in which anything happens at any time: whatever it was, each ends with every model and every score, once."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import msgspec
import pytest
from run_of_events import decision, ref, run_started

from shared.artifacts import ArtifactRef
from shared.config.pipeline import Last, UntilNextTrigger, Window
from shared.ids import TaskId, TriggerId, WorkerId
from shared.messages.reports import (
    Baselined,
    Claimed,
    Decided,
    Evaluated,
    Failed,
    Gathered,
    NewClasses,
    Released,
    Selected,
    Trained,
)
from shared.messages.tasks import AnyTask, BaselineTask, DecideTask, EvaluateTask, GatherTask, SelectTask, TrainTask
from supervisor.core.advance import at_rest
from supervisor.core.classes import classes_of
from supervisor.core.commands import (
    CommitModel,
    CommitState,
    End,
    Publish,
    PublishChord,
    Republish,
    RetireModel,
    RetireState,
)
from supervisor.core.events import (
    AnyEvent,
    Ended,
    Garbled,
    LeaseExpired,
    Observed,
    Reported,
    Resumed,
    StreamEnded,
    Unclaimed,
    Wiped,
)
from supervisor.core.seen import Fired, Slice
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.core.trigger_state import Phase

TRIGGERS = 7
FAULTS = ("claim", "claim", "expire", "unclaimed", "garbled", "released", "device", "fail", "zombie", "wipe", "resume")
WORKER = WorkerId("w")


def settings(random: Random) -> Settings:
    """Any pipeline that the configuration lets through."""
    gated, deploys, kept = random.random() < 0.7, random.random() < 0.6, random.choice([None, 1, 1, 2])
    newest = random.choice([None, 1, 2])
    return Settings(
        use_previous_model=random.random() < 0.6,
        members=random.choice([1, 2]),
        max_in_flight=random.choice([1, 2, 8]),
        coalesce=random.random() < 0.4,
        continue_on_failure=random.random() < 0.5,
        earlier_triggers=random.choice([1, 3]),
        reads_model=random.random() < 0.3,
        deploys=deploys,
        gate_window="gate" if deploys and gated and random.random() < 0.7 else None,
        prequential=(Window(name="next", extent=UntilNextTrigger(), split=None),),
        gated=(Window(name="gate", extent=Last(duration_s=5e-6), split=None),) if gated else (),
        recurring=("days", "weeks"),
        newest=newest if kept is None else min(newest or kept, kept),
        attempts=random.choice([2, 5]),
        models_kept=kept,
    )


class AnyRun:
    """A run, its fleet and its dataset, all of them driven by one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.state = RunState(settings=settings(self.random))
        self.sent: dict[tuple[TaskId, int], AnyTask] = {}  # in a queue or with a worker
        self.given: set[tuple[TaskId, int]] = set()  # numbers of attempts
        self.named = self.random.random() < 0.6  # whether labels are texts
        self.empty = {
            one for one in range(TRIGGERS) if self.random.random() < 0.15
        }  # triggers without a row to train on
        self.models: set[int] = set()  # on disk
        self.keeps = self.random.random() < 0.6  # whether the strategy keeps a state
        self.states: dict[int, ArtifactRef] = {}  # on disk
        self.chosen: dict[int, tuple[str, int | None]] = {}  # trigger → what was kept then, and whose model was asked
        self.scored: Counter[tuple[int, str, int, int]] = Counter()  # model, window, first and last key
        self.decided: list[int] = []
        self.end: End | None = None
        self.sessions = 0
        self.key = -1
        mode = self.random.choice(["experiment", "production"])
        self.tell(run_started(mode=mode))

    def tell(self, event: AnyEvent) -> None:
        """What follows from an event is done at once."""
        self.state, commands, *_ = transition(self.state, event)
        for command in commands:
            match command:
                case Publish():
                    self._send(command.task_id, command.task)
                case Republish():
                    self._send(command.task_id, command.task)
                    if command.chord is not None and command.results is None:
                        self._check_models(command.chord.body_id, command.chord.body)
                case PublishChord():
                    for task_id, task in (*command.headers, (command.body_id, command.body)):
                        self._send(task_id, task)
                case CommitModel():
                    self.models.add(command.trigger_id)
                case RetireModel():
                    self.models.remove(command.trigger_id)
                case CommitState():
                    self.states[command.trigger_id] = self.state.trigger(command.trigger_id).state
                case RetireState():
                    del self.states[command.trigger_id]
                case End():
                    self.end = command
                case _:
                    pass
        assert set(self.state.tasks) >= self.state.held
        self._check_neighbours()

    def _send(self, task_id: TaskId, task: AnyTask) -> None:
        assert (task_id, task.attempt) not in self.given, f"attempt {task.attempt} at {task_id} is given out twice"
        self.given.add((task_id, task.attempt))
        self._check_models(task_id, task)
        self._check_classes(task)
        self._check_state(task)
        self.sent[task_id, task.attempt] = task

    def _check_models(self, task_id: TaskId, task: AnyTask) -> None:
        """What it is to read is there, as it was made last."""
        for model in task.reads:
            assert model.trigger_id in self.models, f"{task_id} is to read a model that is gone"
            assert model.object == self.state.trigger(model.trigger_id).model, f"{task_id} names a model that was lost"

    def _check_classes(self, task: AnyTask) -> None:
        """What it is told of the classes is true up to the key that it is told, and not of rows behind its own."""
        if isinstance(task, SelectTask | BaselineTask):
            assert task.first_labelled_key == self.state.trigger(0).fired.key
            if task.classes is not None:
                assert task.classes.until is not None
                assert task.classes.names == names_up_to(task.classes.until)
                assert task.classes.until <= self.state.trigger(task.trigger_id).fired.key - isinstance(
                    task, SelectTask
                )

    def _check_state(self, task: AnyTask) -> None:
        """A selection goes on from what the last one before left, as it was made last, and that is there."""
        if not isinstance(task, SelectTask):
            return
        before = [one for one in self.chosen if one < task.trigger_id]
        assert (task.observed is None) == (not before)
        if before:
            assert task.observed is not None
            assert task.observed.key == self.state.trigger(max(before)).fired.key
            assert task.state == self.states.get(max(before))
            assert (task.state is not None) == self.keeps
        if task.model is not None:
            assert task.model.trigger_id < task.trigger_id
        if self.state.settings.reads_model and self.state.experiment:
            newest = self.state.trigger(task.trigger_id).before
            assert (None if task.model is None else task.model.trigger_id) == newest

    def _check_neighbours(self) -> None:
        """Every trigger that has a model or may get one stands in the row, in order."""
        row, index = [], self.state.last
        while index is not None:
            row.append(index)
            assert self.state.following(index) is (None if len(row) == 1 else self.state.trigger(row[-2]))
            index = self.state.trigger(index).before
        gone = (Phase.FAILED, Phase.COALESCED, Phase.EMPTY)
        assert row[::-1] == [one for one, trigger in self.state.triggers.items() if trigger.phase not in gone]

    def _at_work(self) -> list[tuple[TaskId, int]]:
        """Attempts that count and that a worker could have; Celery sends a body on when its headers are in."""
        found = []
        for task_id, open_task in self.state.tasks.items():
            if open_task.ripe and task_id not in self.state.held:
                found.append((task_id, open_task.task.attempt))
                self.sent.setdefault(found[-1], open_task.task)
        return sorted(found)

    def step(self, *, faults: bool) -> None:
        """One thing happens."""
        work = self._at_work()
        choices = ["report"] * 6 if work else []
        if not self.state.stream.ended and at_rest(self.state):
            choices += ["observe"] * 3
        choices += FAULTS if faults and work else ()
        assert choices, "nothing goes on any more"
        what = self.random.choice(choices)
        if what == "observe":
            self._observe()
        elif what == "zombie":
            self._report(*self.random.choice(sorted(self.sent)))
        elif what == "wipe":
            self.tell(Wiped(time_us=0, adopted=tuple(one for one, _ in work if self.random.random() < 0.3)))
        elif what == "resume":
            self._resume()
        else:
            self._happen_to(*self.random.choice(work), what)

    def _happen_to(self, task_id: TaskId, attempt: int, what: str) -> None:
        """One attempt is reported, or a fault meets it."""
        of = {"time_us": 0, "task_id": task_id, "attempt": attempt}
        who = {"task_id": task_id, "attempt": attempt, "worker": WORKER}
        failed = {"sentence": "", "traceback": "", "resumable": False}
        event: Any = {
            "expire": lambda: LeaseExpired(**of),
            "unclaimed": lambda: Unclaimed(**of),
            "garbled": lambda: Garbled(**of, position="1-0", why=""),
            "claim": lambda: reported(Claimed(**who)),
            "released": lambda: reported(Released(**who)),
            "device": lambda: reported(Failed(**who, **failed, device=True)),
            "fail": lambda: reported(Failed(**who, **failed, device=False)),
            "report": lambda: None,
        }[what]()
        if event is None:
            self._report(task_id, attempt)
        else:
            self.tell(event)

    def _report(self, task_id: TaskId, attempt: int) -> None:
        """A worker has done this attempt, whether or not it counts."""
        task = self.sent.pop((task_id, attempt))
        open_task = self.state.tasks.get(task_id)
        if open_task is not None and open_task.task.attempt == attempt and open_task.ripe:
            self._note(task)
        self.tell(reported(self._done(task, {"task_id": task_id, "attempt": attempt, "worker": WORKER})))

    def _note(self, task: AnyTask) -> None:
        if isinstance(task, SelectTask) and task.trigger_id not in self.empty:
            asked = None if task.model is None else int(task.model.trigger_id)
            kept = self._kept(task, "").sha256, asked
            assert self.chosen.setdefault(task.trigger_id, kept) == kept, "what is made anew is other than it was"
        if isinstance(task, DecideTask):
            self.decided.append(task.trigger_id)
        for stretch in task.stretches if isinstance(task, EvaluateTask) else ():
            own = [one for one in task.models if one.trigger_id == task.trigger_id]
            self.scored.update((m.trigger_id, stretch.window, stretch.first_key, stretch.last_key) for m in own)

    def _done(self, task: AnyTask, who: dict[str, Any]) -> Any:
        number = f"{task.attempt}-w"
        match task:
            case SelectTask():
                written = ref(f"training_sets/.{task.trigger_id}.{number}.parquet")
                samples = int(task.trigger_id not in self.empty)  # the same rows, whenever they are selected
                of = {"samples": samples, "watermark_key": task.trigger_key, "rows_read": 1}
                kept = self._kept(task, f"selection_states/.{task.trigger_id}.{number}.msgpack") if self.keeps else None
                return Selected(**who, training_set=written, **of, classes=self._new_classes(task), state=kept)
            case TrainTask():
                return Trained(**who, member=ref(number), train_s=1.0, loss=0.0, device="cpu")
            case GatherTask():
                made = ref(f"models/{task.trigger_id}/.model.{number}.safetensors")
                return Gathered(**who, model=msgspec.structs.replace(made, sha256=f"{self.random.random()}"))
            case EvaluateTask():
                return Evaluated(**who, scores=())
            case BaselineTask():
                return Baselined(**who, scores={}, history={})
            case DecideTask():
                deployed = self.random.random() < 0.6
                return Decided(**who, **decision(deployed, task.trigger_id if deployed else None))
            case _:
                raise AssertionError(task)

    def _kept(self, task: SelectTask, name: str) -> ArtifactRef:
        """What the strategy keeps: all that it has observed is in the hash."""
        before = "" if task.state is None else task.state.sha256
        observed = -1 if task.observed is None else task.observed.key
        return msgspec.structs.replace(ref(name), sha256=f"{before}{observed}:{task.trigger_key} ")

    def _new_classes(self, task: SelectTask) -> NewClasses | None:
        before = 0 if task.classes is None else len(task.classes.names)
        return NewClasses(before=before, names=names_up_to(task.trigger_key)[before:]) if self.named else None

    def _observe(self) -> None:
        """Rows arrive, some of them triggers; or no more do."""
        known, fired = len(self.state.triggers), []
        if known == TRIGGERS and self.random.random() < 0.3:
            return self.tell(StreamEnded(time_us=0, key=self.key, slices=self._closed(all_of_them=True)))
        for number in range(known, min(TRIGGERS, known + self.random.choice([0, 1, 2]))):
            self.key += self.random.choice([1, 2])
            fired.append(Fired(id=TriggerId(number), key=self.key, timestamp_us=self.key, reason=""))
        self.key += self.random.choice([0, 1, 3]) if self.key >= 0 else 1
        seen = {"key": self.key, "event_time_us": self.key, "triggers": tuple(fired), "slices": self._closed()}
        return self.tell(Observed(time_us=0, **seen))

    def _closed(self, *, all_of_them: bool = False) -> tuple[Slice, ...]:
        """Slices that end here."""
        closed = []
        for window, share in (("days", 0.5), ("weeks", 0.2)):
            first = self.state.stream.open_slices.get(window, 0)
            if first <= self.key and (all_of_them or self.random.random() < share):
                of = {"window": window, "start_us": first, "event_time_us": None}
                closed.append(Slice(**of, first_key=first, last_key=self.key))
        return tuple(closed)

    def _resume(self) -> None:
        """A supervisor takes the run up, and some of its objects are gone."""
        lost = {one for one in self.models if self.random.random() < 0.1}
        self.models -= lost
        written = [one for one, trigger in self.state.triggers.items() if trigger.training_set is not None]
        gone = [one for one in sorted(written) if self.random.random() < 0.1]
        states = [one for one in self.states if self.random.random() < 0.3]
        for one in states:
            del self.states[one]
        gathers = [one.task for one in self.state.tasks.values() if isinstance(one.task, GatherTask)]
        lost |= {one.trigger_id for one in gathers if self.random.random() < 0.1}
        adopted = tuple(one for one, _ in self._at_work() if self.random.random() < 0.5)
        self.end = None
        self.sessions += 1
        self.tell(
            Resumed(
                time_us=0,
                attempts_above=1000 * self.sessions,
                adopted=adopted,
                lost_training_sets=tuple(map(TriggerId, gone)),
                lost_models=tuple(map(TriggerId, sorted(lost))),
                lost_states=tuple(map(TriggerId, states)),
            )
        )

    def live(self) -> None:
        """Faults for a while, then none; whenever the run ends without having finished, it is resumed."""
        for step in range(5000):
            if self.end is not None:
                self.tell(Ended(time_us=0, status=self.end.status, reason=self.end.reason))
                if self.end.status == "finished":
                    return
                self._resume()
                continue  # what was still to be made anew may be needed no more
            self.step(faults=step < 300)
        raise AssertionError("the run does not end")

    def due(self) -> Counter[tuple[int, str, int, int]]:
        """The scores that the rules ask for, once each."""
        due: Counter[tuple[int, str, int, int]] = Counter()
        committed = [one for one, trigger in self.state.triggers.items() if trigger.phase is Phase.COMMITTED]
        newest = self.state.settings.newest
        for index, following in zip(committed, [*committed, None][1:], strict=True):
            key = self.state.trigger(index).fired.key
            last = self.state.stream.observed_key if following is None else self.state.trigger(following).fired.key
            if last > key:
                due[index, "next", key + 1, last] += 1
            overtaken_by = None if newest is None else self.state.triggers.get(index + newest)
            for piece in self.state.stream.slices.values():
                after = newest is None or piece.last_key > key
                if after and (overtaken_by is None or overtaken_by.fired.key >= piece.first_key):
                    due[index, piece.window, piece.first_key, piece.last_key] += 1
        return due


def names_up_to(key: int) -> tuple[str, ...]:
    """The classes of the rows up to a key: each third row brings another."""
    return tuple(f"class {number}" for number in range(key // 3 + 1))


def reported(report: Any) -> Reported:
    """The report, heard."""
    return Reported(time_us=0, position="1-0", report=report)


@pytest.mark.parametrize("seed", range(150))
def test_whatever_happens_each_run_ends_whole(seed: int) -> None:
    """Every trigger has its model or its reason, every window its scores, once; decisions go in order."""
    run = AnyRun(seed)
    run.live()
    triggers = run.state.triggers
    assert all(trigger.phase.over for trigger in triggers.values())
    standing = {one for one, trigger in triggers.items() if trigger.phase is Phase.COMMITTED and not trigger.retired}
    assert run.models == standing
    assert run.states == {one: trigger.state for one, trigger in triggers.items() if one in run.state.states_kept}
    assert len(run.states) <= 2
    assert not any(trigger.restoring for trigger in triggers.values())
    assert not run.state.selecting_again
    assert {one: n for one, n in run.scored.items() if one[1] != "gate"} == run.due()
    committed = sorted(one for one, trigger in triggers.items() if trigger.phase is Phase.COMMITTED)
    for index in committed:
        assert classes_of(run.state, index) == (names_up_to(triggers[index].fired.key) if run.named else None)
    if run.state.settings.deploys:
        assert run.decided == committed
    if run.state.settings.gated:
        assert sorted(model for model, window, *_ in run.scored.elements() if window == "gate") == committed

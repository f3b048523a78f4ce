"""A run in one process: the product's own observer, transition, stages, journal and recovery, and no broker in between.

Tasks wait, and are done in an order that dice choose, between rows that are observed and labels that come.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from children import child_of
from workplace import Workplace

from shared.claims import Attempt
from shared.config.load import load_configuration
from shared.dataset.growth import Rest
from shared.ids import RunId, WorkerId
from shared.timestamps import now_us
from supervisor.core.commands import End, Publish, PublishChord, Republish
from supervisor.core.events import Ended, Reported, StopAsked
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.results.tally import Tally
from supervisor.run.act.committer import Commit, Committer, Retire
from supervisor.run.directory import RunDirectory
from supervisor.run.journal import Journal
from supervisor.run.listen.recorder import Recorder
from supervisor.run.observe.label_files import LabelFiles, LabelsOfRun
from supervisor.run.observe.observer import Observer
from supervisor.run.observe.table_labelling import InATable
from supervisor.run.start.first_events import Recorded, Scope, first_events, undiscovered, undiscovered_labels
from supervisor.run.start.recovery import recover
from supervisor.system.setup import setup_record
from supervisor.system.tables import tables_with_keys
from supervisor.system.unread import Telling
from workers.stages import baseline, decide, detect, evaluate, gather, select, train
from workers.stages.work import Work

_STAGES = {
    "select": select,
    "train": train,
    "gather": gather,
    "evaluate": evaluate,
    "decide": decide,
    "baseline": baseline,
    "detect": detect,
}


class Killed(Exception):  # noqa: N818
    """The supervisor is gone, somewhere."""


class Task(msgspec.Struct):
    """One that is published."""

    task_id: Any
    task: Any
    results: list[Any] = []
    chord: PublishChord | None = None  # whose body follows


class OneProcess:
    """A run, and its sessions one after the other.

    `risk`: how often a supervisor is killed before it journals an event, and how often between that and what follows.
    """

    def __init__(self, small: Workplace, dice: random.Random, *, experiment: bool = True, risk: float = 0.0) -> None:
        small.write()
        self.small, self.dice, self.risk, self.experiment = small, dice, risk, experiment
        files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
        self.configuration = load_configuration(*files, experiment_mode=experiment)
        self.pipeline = self.configuration.pipeline
        self.directory = RunDirectory(small.run_dir)
        self.child = child_of(small.folder)
        self.done: list[tuple[Any, Any]] = []  # tasks, as they were sent, and the reports on them
        self.kills = 0
        self._reports = 0

    def start(self, maximum_triggers: int | None = None, **scope: Any) -> None:
        """The first session; `scope`: what else the command line says of the stream."""
        self.directory.path.mkdir(exist_ok=True)  # no lock, which would be this process's until it ends
        self.recorder = Recorder(self.pipeline, self.directory, Tally(self.pipeline))
        self.state = RunState(settings=Settings.of(self.pipeline, self.configuration.system))
        rows, labels = self._open()
        scope = Scope(experiment=self.experiment, maximum_triggers=maximum_triggers, **scope)
        table = None if labels is None else labels.dataset
        first = first_events(self.pipeline, scope, Recorded(rows.dataset, table), self.record, "cpu", {})
        self._go_on(first, rows.dataset, table)

    def begin(self) -> None:
        """The first session, or those that took over from it before it had begun."""
        self.alive(self.start)

    def resume(self) -> None:
        """Another session, after one that was killed."""
        if not self.directory.holds_a_run:
            self.start()
            return
        found = recover(self.configuration, self.directory)
        self.state = found.state
        self.recorder.go_on_with(found.tally)
        if self.state.status == "finished":
            return
        rows, labels = self._open()
        first = undiscovered(self.state, len(found.entries), rows.dataset)
        table = None if labels is None else labels.dataset
        if table is not None:
            first += undiscovered_labels(self.state, len(found.label_entries), table)
        resumed = msgspec.structs.replace(found.resumed, setup_version=self.record.version)
        self._go_on([*first, resumed], rows.dataset, table)

    def _open(self) -> Any:
        tables = tables_with_keys(self.configuration, Rest(), follows=not self.experiment)
        root = self.configuration.system.artifacts_root
        self.record = setup_record(
            self.configuration, RunId("run"), str(self.directory.path), root, serves=not self.experiment
        )
        return tables

    def _go_on(self, first: list[Any], rows: Any, labels: Any) -> None:
        self.committer = Committer(self.pipeline, self.directory)
        self.waiting: list[Task] = []
        self.results: dict[tuple[Any, int], Any] = {}
        self._happen(*first)
        files = labelling = None
        if labels is not None:
            files = LabelFiles(labels, Telling())
            labelling = InATable.of(LabelsOfRun(files, Path(self.record.labels_uri or "")), rows.config, self.state)
        self.observer = Observer(self.pipeline, rows, self.state, Telling(), files, labelling)

    def _happen(self, *events: Any) -> None:
        self._risk()
        with closing(Journal(self.directory.journal_path)) as journal:
            journal.append(events)
        for event in events:
            self._take(event)

    def _risk(self) -> None:
        if self.dice.random() < self.risk:
            raise Killed

    def _take(self, event: Any) -> None:
        self._risk()
        self.state, commands, notices = transition(self.state, event)
        for notice in notices:
            self.recorder.hear(notice)
        for command in commands:
            self._do(command)

    def _do(self, command: Any) -> None:
        match command:
            case Publish():
                self.waiting.append(Task(command.task_id, command.task))
            case PublishChord():
                self.waiting += [Task(task_id, task, chord=command) for task_id, task in command.headers]
                if not command.headers:
                    self.waiting.append(Task(command.body_id, command.body))
            case Republish():
                self.waiting.append(Task(command.task_id, command.task, list(command.results or ())))
            case _ if isinstance(command, Commit):
                self.committer.commit(command, self.state)
            case _ if isinstance(command, Retire):
                self.committer.retire(command)
            case End():
                self._happen(Ended(time_us=now_us(), status=command.status, reason=command.reason))

    def work(self) -> bool:
        """Do one of the tasks that wait; False if none does."""
        if not self.waiting or self.observer.is_behind:
            return False
        one = self.waiting.pop(self.dice.randrange(len(self.waiting)))
        attempt = Attempt(
            run_id=RunId("run"), task_id=one.task_id, number=one.task.attempt, worker=WorkerId("w@here-0123456789ab")
        )
        work = Work(task=one.task, record=self.record, attempt=attempt, results=one.results, child=self.child)
        report, result = _STAGES[one.task.kind].run(work)
        self.done.append((one.task, report))
        if one.chord is not None:
            self._return(one, result)
        self._reports += 1
        self._happen(Reported(time_us=now_us(), position=f"{self._reports}-0", report=report))
        return True

    def _return(self, one: Task, result: Any) -> None:
        chord = one.chord
        assert chord is not None
        self.results[one.task_id, one.task.attempt] = result
        found = [self.results.get((task_id, task.attempt)) for task_id, task in chord.headers]
        if None not in found:
            self.waiting.append(Task(chord.body_id, chord.body, found))

    def observe(self) -> bool:
        """Look at the next rows, or at the end of them; False if there is nothing to see now."""
        if not self.observer.may_go_on(self.state):
            return False
        if not self.observer.at_end:
            event = self.observer.observe(self.state)
            self._happen(*([event] if event else []))
            return True
        if self.experiment or self.observer.fired_all:
            self._happen(self.observer.end())
            return True
        return False

    def look(self) -> None:
        """Look for new files, once all rows are seen that there are."""
        while not self.observer.at_end:
            if not self.observe():
                self.work()
        self._happen(*self.observer.discover(self.configuration.system.artifacts_root, Rest()))

    def alive(self, act: Callable[[], Any]) -> Any:
        """Do something; where the supervisor is killed meanwhile, another session takes over, and goes on instead."""
        try:
            return act()
        except Killed:
            pass
        while True:
            self.kills += 1
            try:
                self.resume()
            except Killed:
                continue
            return True

    def turn(self) -> bool:
        """Something of what can be done; False if nothing is left."""
        acts = [self.observe, self.work]
        self.dice.shuffle(acts)
        return any(self.alive(act) for act in acts)

    def to_its_end(self) -> dict[str, Any]:
        """Until nothing is left to do; the summary."""
        while self.state.status == "running" and self.turn():
            pass
        return self.sum_up()

    def stop(self) -> dict[str, Any]:
        """End a run that follows its dataset; the summary."""
        self.risk = 0.0
        self._happen(StopAsked(time_us=now_us(), by="the test"))
        self._happen(Ended(time_us=now_us(), status="stopped", reason="stopped on request"))
        return self.sum_up()

    def sum_up(self) -> dict[str, Any]:
        """What the run came to."""
        return self.recorder.record(self.state)

"""One task from claim to report: the protocol around the work, which is in workers/stages."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import redis
import torch

from shared.blame import blame
from shared.broker import will_pass
from shared.claims import Attempt, ClaimAnswer
from shared.errors import ArtifactError, DataError, ModynError, NotReadyError, RowError
from shared.ids import TaskId
from shared.messages.reports import AnyReport, Failed, Released
from shared.messages.tasks import AnyTask, task_of
from shared.messages.version import MESSAGE_VERSION
from workers.failures import device_is_broken, explain, model_is_to_blame
from workers.going_on import Interrupted
from workers.process.child import Child
from workers.process.diary import Note, Outcome
from workers.process.set_up import NotInstalledError, Setups
from workers.process.slot_troubles import SlotError
from workers.stages import Work, stage

T = TypeVar("T")

log = logging.getLogger(__name__)

_RETRY_EVERY_S = 1.0
# What a role does first and most. A train worker loads the metrics, which take a second, once it helps with them.
_FIRST_TASKS = {
    "train": ("select", "train", "gather", "check"),
    "evaluate": ("detect", "select", "gather", "evaluate", "decide"),
}


class Unfinished(Exception):  # noqa: N818 - nothing went wrong
    """This delivery may not answer for the task: Celery must forget it without a result."""


class Performer:
    """This process's way with tasks, one after the other."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.setups = Setups(child)

    def warm_up(self) -> None:
        """Load what the first task would wait for; in a new fleet all workers do this at the same time."""
        for kind in _FIRST_TASKS[self.child.settings.role]:
            stage(kind)
        if self.child.settings.role == "train":
            # The first optimizer of a process imports torch's compiler, for a second.
            torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        self.child.announce()

    def perform(self, task_id: str, message: dict[str, Any], results: list[Any]) -> Any:
        """Claim the task, work, report; the recorded result if it was done before. Raises Unfinished.

        It returns, and so counts for its chord, only when the result is recorded.
        """
        task, child = task_of(message), self.child
        if task.version != MESSAGE_VERSION:
            raise Unfinished(f"{task_id} is a message of version {task.version}, this worker speaks {MESSAGE_VERSION}")
        worker = child.settings.worker
        attempt = Attempt(run_id=task.run_id, task_id=TaskId(task_id), number=task.attempt, worker=worker)
        try:
            record = self._patiently(lambda: self.setups.record(task.run_id, task.setup_version))
        except NotReadyError as reason:
            raise Unfinished(str(reason)) from None
        answer, recorded = self._patiently(lambda: child.claims.claim(attempt, record.lease_s))
        if answer is ClaimAnswer.DONE:
            return recorded
        if answer is not ClaimAnswer.OK:
            raise Unfinished(f"{task_id} attempt {task.attempt} is {answer}")
        began_s = time.monotonic()
        work = Work(task=task, record=record, attempt=attempt, results=results, child=child)
        note = Note(kind=task.kind, trigger=task.trigger_id, pipeline=record.pipeline.pipeline.name)
        child.diary.write(note)
        try:
            report, result = self._do(work)
            took_s = time.monotonic() - began_s
            child.measured.task_ended(task.kind, _outcome(report), took_s)
            counts = self._patiently(lambda: child.claims.report(attempt, report, result), finished=True)
            child.diary.write(_ended(note, report, took_s, counts=counts))
            if not counts:
                raise Unfinished(f"{task_id} attempt {task.attempt} was published again while this worker had it")
        finally:
            child.rest()
            child.leave_if_broken()
        if isinstance(report, Released) or (isinstance(report, Failed) and (report.resumable or report.device)):
            raise Unfinished(f"{task_id} attempt {task.attempt} is to be done again")
        return result

    def _do(self, work: Work) -> tuple[AnyReport, Any]:
        """Work, once the main process can know of it: else nobody would renew the lease, and nothing say why."""
        try:
            self.child.announce(work.attempt, work.record)
        except SlotError as error:
            return Failed(**work.who, sentence=str(error), traceback="", resumable=True), {"failed": True}
        self._patiently(lambda: self.setups.be_set_up(work.task.run_id, work.record.version), finished=True)
        return _work(work, self.child, self.setups)

    def _patiently(self, act: Callable[[], T], *, finished: bool = False) -> T:
        """Wait out a broker that is away or takes nothing: work that is `finished`, or about to begin, is worth it.

        Raises Unfinished if the worker is asked to stop before it began, and for what no waiting mends: then the lease
        of the task runs out.
        """
        said = False
        while True:
            try:
                return act()
            except redis.RedisError as error:
                if not will_pass(error):
                    log.error("the task is let go of, as the broker refuses what this version asks of it: %s", error)
                    raise Unfinished(f"the broker refuses what was asked: {error}") from error
                if self.child.should_stop() and not finished:
                    raise Unfinished("asked to stop before the broker was back") from None
                if not said:
                    log.warning("waiting for the broker, to go on when it is back: %s", error)
                said = True
                time.sleep(_RETRY_EVERY_S)


def _work(work: Work, child: Child, setups: Setups) -> tuple[AnyReport, Any]:
    """The report on a task and its result for the chord; a failure is a report too."""
    try:
        setups.refuse_what_lacks(work.task.run_id)
        return stage(work.task.kind)(work)
    except Interrupted:
        return Released(**work.who), None
    except (Exception, SystemExit) as error:  # a model may think that it is a program
        sentence, broken = _sentence(work.task, error), device_is_broken(error)
        faulty = broken and not model_is_to_blame(error)
        if broken:
            child.replace_afterwards(sentence if faulty else None)
        return Failed(
            **work.who,
            sentence=sentence,
            traceback=traceback.format_exc(),
            resumable=_lies_outside(error),
            device=faulty,
        ), {"failed": True}


def _ended(note: Note, report: AnyReport, took_s: float, *, counts: bool) -> Note:
    """What became of the task, for the terminal."""
    sentence = report.sentence if isinstance(report, Failed) else ""
    outcome = _outcome(report) if counts else "superseded"
    return msgspec.structs.replace(note, outcome=outcome, took_s=took_s, sentence=sentence)


def _outcome(report: AnyReport) -> Outcome:
    return "released" if isinstance(report, Released) else "failed" if isinstance(report, Failed) else "done"


def _lies_outside(error: BaseException) -> bool:
    """Whether a file, a disk or an installation is at fault, which can be mended: then no trigger is to blame.

    What a row holds is as much a trigger's fault as what a model makes of it.
    """
    mendable = isinstance(error, DataError | ArtifactError | NotInstalledError)
    return mendable and not isinstance(error, RowError)


def _sentence(task: AnyTask, error: BaseException) -> str:
    """What people read; our own errors explain themselves, others are named with the stage they came from."""
    if isinstance(error, ModynError):
        return str(error)
    explained = explain(error)
    if explained is not None:
        return f"{task.kind}: {explained}"
    return f"{task.kind} raised {blame(error)}. The worker's traceback is in journal.jsonl."

"""The Celery tasks: claim the attempt, do the work, record and report it, return a small status.

This module is imported by the worker's main process too, so the work itself, which needs torch, is imported by
the child when the first task arrives.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from celery import Task as CeleryTask
from celery import shared_task, signals
from celery.exceptions import Ignore, WorkerLostError
from celery.worker import state
from celery.worker.request import Request

from shared import names
from shared.blame import blame
from shared.errors import ModynError, NotReadyError
from shared.ids import RunId
from workers.process.settings import own_settings
from workers.process.slot import SlotFile

if TYPE_CHECKING:
    from workers.process.perform import Performer

log = logging.getLogger(__name__)


@cache
def _performer() -> Performer:
    """This child's one; Celery calls functions, so it is kept here."""
    from workers.process.child import Child  # noqa: PLC0415 - the child alone loads torch
    from workers.process.perform import Performer  # noqa: PLC0415

    return Performer(Child(own_settings()))


@signals.worker_process_init.connect
def _child_started(**_: Any) -> None:
    """Load torch and the stages before the first task, and say on which device this child works, or why it cannot.

    Celery would log what is raised here, and go on with a child that never takes a task.
    """
    try:
        _performer().warm_up()
    except Exception as error:
        log.debug("the child cannot work", exc_info=True)
        said = str(error) if isinstance(error, ModynError) else f"it cannot start: {blame(error)}"
        SlotFile(own_settings().slot_folder).refuse(said)


class SurvivingRequest(Request):  # type: ignore[misc]
    """A request whose lost child records nothing: the lease runs out and the supervisor publishes it again.

    Celery's own handling would write FAILURE into the chord, and its body would never run.
    """

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        """Let a lost child's task go; handle every other failure as Celery does."""
        error = getattr(exc_info.exception, "exc", exc_info.exception)  # billiard wraps it to carry the traceback
        if isinstance(error, WorkerLostError):
            log.error("the process that had task %s was lost: %s", self.id, error)
            state.task_ready(self)
            self.acknowledge()
            return None
        return super().on_failure(exc_info, send_failed_event, return_ok)


class ModynTask(CeleryTask):  # type: ignore[misc]
    """The base of all our tasks."""

    Request = SurvivingRequest


def _perform(task: Any, message: dict[str, Any], results: list[Any]) -> Any:
    from workers.process.perform import Unfinished  # noqa: PLC0415 - loads torch: in the child only

    try:
        return _performer().perform(task.request.id, message, results)
    except Unfinished as reason:
        raise Ignore(str(reason)) from None


def _header(kind: str) -> Any:
    @shared_task(name=names.celery_task(kind), base=ModynTask, bind=True)
    def run(self: Any, message: dict[str, Any]) -> Any:
        return _perform(self, message, [])

    return run


def _body(kind: str) -> Any:
    @shared_task(name=names.celery_task(kind), base=ModynTask, bind=True)
    def run(self: Any, results: list[Any], message: dict[str, Any]) -> Any:
        return _perform(self, message, results)

    return run


select, train, check = map(_header, ("select", "train", "check"))
evaluate, baseline, detect = map(_header, ("evaluate", "baseline", "detect"))
gather, decide = map(_body, ("gather", "decide"))


@shared_task(name=names.celery_task("set_up"), base=ModynTask)
def set_up(run_id: str, setup_version: int) -> None:
    """Import the model, open the dataset, warm the device, and acknowledge."""
    try:
        _performer().setups.set_up(RunId(run_id), setup_version)
    except NotReadyError as reason:  # the run has ended since
        raise Ignore(str(reason)) from None


@shared_task(name=names.celery_task("tear_down"), base=ModynTask)
def tear_down(run_id: str) -> None:
    """Forget a run that has ended."""
    _performer().setups.forget(RunId(run_id))

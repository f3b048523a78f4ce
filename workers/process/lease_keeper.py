"""The thread in a worker's main process that renews its lease and its entry in the fleet registry.

It lives in the main process because a training can hold the GIL of the child for many seconds, and it goes on
through a warm shutdown because a task that is still being handed back must not lose its lease.

It looks at the slot often, which costs Redis nothing, and speaks to Redis seldom: when a lease needs it, and when
there is something new to say.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from typing import Literal, NoReturn

import psutil
import redis
from celery.utils.nodenames import worker_direct

from shared.broker import connect
from shared.claims import Attempt, Claims, Renewal
from shared.errors import ModynError, NotReadyError
from shared.fleet import WorkerEntry, deregister, register
from shared.ids import RunId
from shared.processes import is_stopped
from workers.process.recalls import RecallListener
from workers.process.settings import WorkerSettings
from workers.process.slot import Slot, SlotFile
from workers.process.slot_troubles import SlotError

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.1  # at the slot, which is a file in memory
_RENEWALS = 5  # of a task's lease, before it would end
_REGISTRATIONS = 3  # the same of the worker's own entry
_AWAY_S = 1.0  # between two tries to reach a broker that is away, at most
_LOST_AFTER_S = 1.0  # a slot is away for a moment where it makes room for its next content
_IDLE_CHILD_S = 1.0  # long enough for a child that hands back to have sent what it must
GRACE_S = 15.0  # how long a worker that is asked to go may take to checkpoint and hand back
_DEAD = {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}


class LeaseKeeper:
    """Renews what the slot says while the child that wrote it is alive and not stopped."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._lease_s = settings.lease_s
        self._client = connect(settings.broker_url, timeout_s=settings.lease_s / 3)
        self._claims = Claims(self._client)
        self._slot = SlotFile(settings.slot_folder)
        self._listener = RecallListener(connect(settings.broker_url), self._hear_recall, settings.lease_s)
        self._finished = threading.Event()
        self._child: int | None = None  # that wrote the slot
        self._there_s = time.monotonic()  # when the slot was there last
        self._said_benched, self._said_of_slot = False, ""
        self._renewed: Attempt | None = None
        self._registered: WorkerEntry | None = None
        self._renew_from_s = self._register_from_s = 0.0
        self._draining_since_s: float | None = None
        self._progress_mark, self._progress_s = 0, 0.0  # when it changed last, by this process's clock

    def start(self) -> None:
        """Begin; the thread ends with the process."""
        threading.Thread(target=self._run, name="lease-keeper", daemon=True).start()
        self._listener.start()

    def drain(self) -> None:
        """The worker is asked to go: see that its child does, too."""
        self._draining_since_s = time.monotonic()

    def finish(self) -> None:
        """Take the worker out of the registry; its child is gone."""
        self._finished.set()
        self._listener.stop()
        try:
            deregister(self._client, self._settings.worker)
            self._client.delete(worker_direct(self._settings.hostname).name)  # messages to nobody
        except redis.RedisError:
            log.info("registry entry not removed: the broker is away; it expires by itself")

    def _run(self) -> None:
        away, pause_s = False, _LOOK_EVERY_S
        while not self._finished.wait(pause_s):
            try:
                pause_s = min(_AWAY_S, self._lease_s / 5)  # should something be the matter
                self._look()
                pause_s = _LOOK_EVERY_S
                if away:
                    log.warning("broker is back")
                away = False
            except redis.RedisError as error:
                if not away:
                    log.warning("broker is away (%s); trying again until it is back", error)
                away = True
                self._renewed = self._registered = None  # it may have forgotten both
                self._progress_s = time.monotonic()  # its child may be waiting for the broker, too
            except SlotError as error:
                if str(error) != self._said_of_slot:
                    log.error("%s", error)
                self._said_of_slot = str(error)
            except Exception:  # without this thread the worker's leases would end, again and again
                log.exception("the lease was not renewed")

    def _look(self) -> None:
        slot = self._slot.read()
        self._leave_if_lost(slot)
        if slot is None or not is_child(slot.pid):
            self._leave_if_refused()
            return
        self._end_draining_child(slot)
        if slot.attempt is not None and self._is_hung(slot):
            log.error("task %s said nothing for %.0f s: its process is ended", slot.attempt.task_id, slot.stall_after_s)
            _kill(slot.pid)
            return
        if is_stopped(slot.pid):
            return
        if slot.attempt is not None:
            self._renew(slot.attempt, slot.lease_s)
        self._register(self._entry(slot))

    def _renew(self, attempt: Attempt, lease_s: float) -> None:
        """Prolong a task's lease when that is due: at once for a new task, or one whose run has just been recalled."""
        if attempt == self._renewed and time.monotonic() < self._renew_from_s:
            return
        self._renew_from_s = time.monotonic() + lease_s / _RENEWALS
        if self._claims.renew(attempt, lease_s) is not Renewal.RENEWED:
            self._slot.recall(attempt)
        self._renewed = attempt

    def _register(self, entry: WorkerEntry) -> None:
        """Prolong the entry in the registry when that is due, or when it says something else."""
        if entry == self._registered and time.monotonic() < self._register_from_s:
            return
        self._register_from_s = time.monotonic() + self._lease_s / _REGISTRATIONS
        register(self._client, entry)
        self._registered = entry

    def _hear_recall(self, run_id: RunId) -> None:
        """Have the answer to the next renewal say so, and have that soon. Called by another thread."""
        slot = self._slot.read()
        if slot is not None and slot.attempt is not None and slot.attempt.run_id == run_id:
            self._renew_from_s = 0.0

    def _leave_if_lost(self, slot: Slot | None) -> None:
        """End this worker if somebody has removed its slot: what its child does cannot be known any more.

        Whoever starts workers starts another; the child's task is published again when its lease ends.
        """
        if slot is not None:
            self._child, self._there_s = slot.pid, time.monotonic()
            return
        lives = self._child is not None and is_child(self._child)
        away_s = time.monotonic() - self._there_s
        away = lives and away_s > _LOST_AFTER_S and self._slot.refusal() is None
        if (away or self._slot.was_removed) and not self._is_going():
            self._leave(self._slot.loss, ModynError.exit_code)

    def _is_going(self) -> bool:
        """Whether this worker is about to end, and to remove its slot itself."""
        since_s = self._draining_since_s
        return self._finished.is_set() or (since_s is not None and time.monotonic() - since_s < GRACE_S)

    def _leave_if_refused(self) -> None:
        """End this worker, with what its child says, if no child can work here: whoever waits for it is to know."""
        sentence = self._slot.refusal()
        if sentence is not None:
            self._leave(sentence, NotReadyError.exit_code)

    def _leave(self, sentence: str, exit_code: int) -> NoReturn:
        print(f"error: {sentence}", file=sys.__stderr__, flush=True)  # the other one is Celery's log
        self.finish()
        for process in psutil.Process().children(recursive=True):
            _kill(process.pid)
        self._slot.remove()
        os._exit(exit_code)

    def _end_draining_child(self, slot: Slot) -> None:
        """End a child that has nothing more to do, or that does not hand its task back within the grace period.

        The pool's child waits half a minute for its parent to read a last message, which the parent, closing, does not.
        """
        if self._draining_since_s is None:
            return
        limit_s = _IDLE_CHILD_S if slot.attempt is None else GRACE_S
        if time.monotonic() - self._draining_since_s > limit_s:
            _kill(slot.pid)

    def _is_hung(self, slot: Slot) -> bool:
        """Whether a child has not said for too long that its work goes on; one that is stopped does not, either."""
        mark = self._slot.progress_mark()
        if mark != self._progress_mark:
            self._progress_mark, self._progress_s = mark, time.monotonic()
        return time.monotonic() - self._progress_s > slot.stall_after_s

    def _entry(self, slot: Slot) -> WorkerEntry:
        benched = None if slot.attempt is not None else self._slot.benched()
        if benched and not self._said_benched:
            self._said_benched = True
            log.error("the device failed twice within an hour (%s); this worker takes nothing more", benched)
        working: Literal["idle", "busy"] = "idle" if slot.attempt is None else "busy"
        return WorkerEntry(
            worker=self._settings.worker,
            role=self._settings.role,
            hostname=self._settings.hostname,
            device=slot.device,
            device_name=slot.device_name,
            state="benched" if benched else working,
            task=None if slot.attempt is None else slot.attempt.task_id,
            since_us=slot.since_us,
            lease_s=self._lease_s,
            pid=os.getpid(),
            versions=slot.versions,
            benched=benched,
            metrics=self._settings.metrics,
        )


def is_child(pid: int) -> bool:
    """Whether a process is there, and a child of this one."""
    try:
        child = psutil.Process(pid)
        return child.ppid() == os.getpid() and child.status() not in _DEAD
    except psutil.NoSuchProcess:
        return False


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
        os.kill(pid, signal.SIGKILL)

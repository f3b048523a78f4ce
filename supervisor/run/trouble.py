"""Sees what somebody should look at, and alerts to it: failures, a run that stands still, a fleet that is gone."""

from __future__ import annotations

import logging
import time

from shared.fleet import why_benched
from shared.ids import WorkerId
from supervisor.core.commands import End
from supervisor.core.events import AnyEvent, Ended
from supervisor.core.state import Phase, RunState
from supervisor.run.alerts import Alerts
from supervisor.run.watch import Watch

log = logging.getLogger("run")


class Trouble:
    """Told all that happens in a run, and asked to look as often as the watch."""

    def __init__(self, alerts: Alerts, watch: Watch, stall_after_s: float) -> None:
        self._alerts = alerts
        self._watch = watch
        self._stall_after_s = stall_after_s
        self._heard_s = time.monotonic()
        self._benched: set[WorkerId] = set()  # those that were told of

    def heard(self) -> None:
        """A worker has reported something."""
        self._heard_s = time.monotonic()

    def happened(self, event: AnyEvent, before: RunState, state: RunState) -> None:
        """Alert to what has just failed."""
        if isinstance(event, Ended) and event.status == "failed":
            self._alerts.tell("run_failed", event.reason)
        task_id = getattr(getattr(event, "report", event), "task_id", None)
        if task_id is not None and task_id in before.tasks:
            trigger = state.trigger(before.tasks[task_id].task.trigger_id)
            if trigger.phase is Phase.FAILED and before.trigger(trigger.fired.id).phase is not Phase.FAILED:
                self._alerts.tell("trigger_failed", trigger.error or "", trigger=trigger.fired.id)

    def ends(self, end: End) -> None:
        """Alert to the trigger that ends the run."""
        if end.trigger_id is not None:
            self._alerts.tell("trigger_failed", end.reason, trigger=end.trigger_id)

    def look(self, state: RunState) -> None:
        """Alert to a run in which nothing goes on any more, although there is work. Raises redis.RedisError."""
        # A task that is renewed goes on, however seldom it reports: its worker ends it if it hangs.
        if not self._is_silent or not self._watch.standing(state):
            what = f"nothing was reported for {self._silent_s:.0f} s, although {len(state.tasks)} tasks are open"
            self._alert_to_silence(state, what)
        missing = self._watch.roles_without_workers if state.tasks else frozenset()
        fit = "alive and not benched" if self._watch.benched else "alive"
        nobody = f"no {' and no '.join(sorted(missing))} worker is {fit}; the run waits for one"
        self._alerts.while_true("no_workers", bool(missing), nobody)
        self._alert_to_benched()

    def _alert_to_benched(self) -> None:
        """Tell of each worker once that its device is to be looked after."""
        for worker in self._watch.benched:
            if worker.worker not in self._benched:
                self._benched.add(worker.worker)
                sentence = f"worker {worker.hostname} {why_benched(worker)}"
                log.warning("! %s", sentence)
                self._alerts.tell("worker_benched", sentence, worker=worker.hostname)

    def broker_is_away(self, state: RunState) -> None:
        """Alert if that has lasted."""
        self._alert_to_silence(state, f"the broker is away, and nothing was reported for {self._silent_s:.0f} s")

    def _alert_to_silence(self, state: RunState, sentence: str) -> None:
        self._alerts.while_true("run_stalled", bool(state.tasks) and self._is_silent, sentence)

    @property
    def _silent_s(self) -> float:
        """For how long nobody has reported anything."""
        return time.monotonic() - self._heard_s

    @property
    def _is_silent(self) -> bool:
        return self._silent_s > self._stall_after_s

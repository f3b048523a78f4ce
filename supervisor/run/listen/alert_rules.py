"""Sees what somebody should look at, and alerts to it: failures, a run that stands still, a fleet that is gone."""

from __future__ import annotations

import logging

import redis

from shared.fleet import why_benched
from shared.ids import WorkerId, parts_of
from supervisor.core.notices import FileNotRead, Listener, RowsNotAsExpected, RunEnded, TaskGivenUp, Told
from supervisor.core.state import RunState
from supervisor.results.set_aside import not_as_expected
from supervisor.run.broker import Broker
from supervisor.run.listen.silence import Silence
from supervisor.run.listen.webhooks import Webhooks
from supervisor.run.listen.whose import whose
from supervisor.run.watch.watch import Watch

log = logging.getLogger(__name__)


class AlertRules(Listener):
    """The conditions, and the sentences that go out for them."""

    def __init__(self, webhooks: Webhooks, broker: Broker, watch: Watch, stall_after_s: float) -> None:
        self._webhooks = webhooks
        self._broker = broker
        self._watch = watch
        self._stall_after_s = stall_after_s
        self._silence = Silence()
        self._benched: set[WorkerId] = set()  # those that were told of

    def hear(self, told: Told) -> None:
        """Note that workers work, and alert to what has just failed."""
        self._silence.hear(told)
        if isinstance(told, RunEnded) and told.status == "failed":
            self._webhooks.tell("run_failed", told.reason)
        elif isinstance(told, FileNotRead):
            self._webhooks.tell("file_not_read", told.sentence, file=told.file)
        elif isinstance(told, RowsNotAsExpected):
            found = told.violated
            facts = {"first_key": found.first_key, "last_key": found.last_key, "on_violation": found.on_violation}
            self._webhooks.tell("rows_not_as_expected", not_as_expected(found), **facts)
        elif isinstance(told, TaskGivenUp):
            trigger = parts_of(told.task_id).trigger_id
            self._webhooks.tell("trigger_failed", f"{whose(told.task_id)}: {told.sentence}", trigger=trigger)

    def turn(self, state: RunState, rows: int) -> None:
        """Alert to a run in which nothing goes on any more, although there is work."""
        self._silence.turn(state, rows)
        if state.status != "running":
            return
        if self._broker.is_away:
            what = f"the broker is away, and nothing was reported for {self._silence.lasts_s:.0f} s"
            self._alert_to_silence(state, what)
            return
        try:
            self._look_at_work(state)
        except redis.RedisError:  # whoever needs the broker next says that it is away
            return
        self._look_at_fleet(state)

    def _look_at_work(self, state: RunState) -> None:
        """A task whose lease is renewed goes on, however seldom it reports: its worker ends it if it hangs."""
        if not self._is_silent or not self._watch.standing(state):
            what = (
                f"nothing was reported for {self._silence.lasts_s:.0f} s, although {len(state.tasks):,} tasks are open"
            )
            self._alert_to_silence(state, what)

    def _look_at_fleet(self, state: RunState) -> None:
        missing = self._watch.roles_without_workers if state.tasks else frozenset()
        fit = "alive and not benched" if self._watch.benched else "alive"
        nobody = f"no {' and no '.join(sorted(missing))} worker is {fit}; the run waits for one"
        self._webhooks.while_true("no_workers", bool(missing), nobody)
        for worker in self._watch.benched:
            if worker.worker not in self._benched:
                self._benched.add(worker.worker)
                sentence = f"worker {worker.hostname} {why_benched(worker)}"
                log.warning("! %s", sentence)
                self._webhooks.tell("worker_benched", sentence, worker=worker.hostname)

    def _alert_to_silence(self, state: RunState, sentence: str) -> None:
        self._webhooks.while_true("run_stalled", bool(state.tasks) and self._is_silent, sentence)

    @property
    def _is_silent(self) -> bool:
        return self._silence.lasts_s > self._stall_after_s

"""How long a run that is about to begin has waited for workers, less the time in which all were at others' work."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from shared.fleet import WorkerEntry
from shared.ids import RunId, parts_of

log = logging.getLogger(__name__)

_SAY_EVERY_S = 60.0


def is_elsewhere(worker: WorkerEntry, run_id: RunId) -> bool:
    """Whether a worker is at the work of another run."""
    return worker.state == "busy" and worker.task is not None and parts_of(worker.task).run_id != run_id


def all_elsewhere(workers: Sequence[WorkerEntry], run_id: RunId) -> bool:
    """Whether there are workers that take something, and all of them are at the work of other runs."""
    able = [worker for worker in workers if worker.state != "benched"]
    return bool(able) and all(is_elsewhere(worker, run_id) for worker in able)


class Patience:
    """What is told of each turn: seconds in which somebody could have taken the work count, others do not."""

    def __init__(self, now_s: float) -> None:
        self._now_s = self._said_s = now_s
        self.counted_s = 0.0
        self._uncounted_s = 0.0

    def turn(self, now_s: float, *, elsewhere: int) -> None:
        """Time has passed until `now_s`; `elsewhere`: so many workers could take it, all busy; 0 if one was free."""
        passed_s, self._now_s = now_s - self._now_s, now_s
        if not elsewhere:
            self.counted_s += passed_s
            return
        self._uncounted_s += passed_s
        if now_s - self._said_s >= _SAY_EVERY_S:
            self._said_s = now_s
            who = "the train worker is" if elsewhere == 1 else f"all {elsewhere} train workers are"
            log.info("%s busy with other runs; the check of the pipeline has waited %.0f s", who, self._uncounted_s)

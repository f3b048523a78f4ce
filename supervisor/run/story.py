"""Tells a run as a story: one log line for what matters, an arrow for what goes out, another for what comes back."""

from __future__ import annotations

import logging
import math
import time

from shared.ids import TaskId, parts_of
from shared.messages import Decided, Failed, Gathered, Progress, Report, Selected, SetUp, Trained
from shared.timestamps import format_timestamp
from supervisor.core.attempts import is_hopeless
from supervisor.core.events import (
    AnyEvent,
    Ended,
    Fired,
    Garbled,
    LeaseExpired,
    Observed,
    Reported,
    RunStarted,
    StopAsked,
    StreamEnded,
    Unclaimed,
    Wiped,
)
from supervisor.core.state import RunState
from supervisor.results.tally import Tally
from supervisor.system.versions import Versions

log = logging.getLogger("run")

_TOLD_SHARE = 0.05  # between two lines on a training lies this share of the time it has taken


class Story:
    """Log lines for events; keeps the tally, too, since both see every event once."""

    def __init__(self, tally: Tally, reconnects: int) -> None:
        self.tally = tally
        self.reconnects = reconnects
        self._told_s: dict[TaskId, tuple[float, float]] = {}  # when its progress was told first, and last

    def tell(self, event: AnyEvent, before: RunState) -> None:
        """One event, and the state it met."""
        self.tally.record(event, before)
        match event:
            case RunStarted(everything=Fired() as fired):
                _tell_fired(fired)
            case Observed():
                for fired in event.triggers:
                    _tell_fired(fired)
            case StreamEnded():
                log.info("the stream ended at key %d", event.key)
            case LeaseExpired() | Garbled() | Unclaimed() if event.task_id in before.tasks:
                _tell_again(event, before)
            case Wiped():
                log.warning("! Redis had forgotten the run; what is not claimed is published again")
            case StopAsked():
                log.info("stopping (%s): running work is handed back; --resume goes on", event.by)
            case Ended():
                (log.error if event.status == "failed" else log.info)("run %s: %s", event.status, event.reason)
            case Reported():
                self._report(event, before)
            case _:
                pass

    def _report(self, event: Reported, before: RunState) -> None:
        report = event.report
        if not isinstance(report, Report) or before.answered_by(report) is None:
            return
        task_id = report.task_id
        trigger = parts_of(task_id).trigger_id
        match report:
            case Selected():
                log.info("← trigger %d: %d samples selected of %d rows read", trigger, report.samples, report.rows_read)
            case Trained():
                log.info(
                    "← trigger %d: trained on %s in %.1f s, loss %.4f",
                    trigger,
                    report.device,
                    report.train_s,
                    report.loss,
                )
            case Gathered():
                log.info("← model %d committed", trigger)
            case Decided():
                _tell_decided(trigger, report)
            case Failed(device=True) if not is_hopeless(before, task_id):
                log.warning("! %s is published again: on %s %s", task_id, report.worker, report.sentence)
            case Failed():
                log.error("! trigger %d: %s failed: %s", trigger, parts_of(task_id).stage, report.sentence)
            case _:
                pass

    def progress(self, report: Progress) -> None:
        """How a training goes: every second at first, ever more seldom if it goes on for hours."""
        now_s = time.monotonic()
        first_s, last_s = self._told_s.get(report.task_id, (now_s, -math.inf))
        if now_s - last_s > max(1.0, _TOLD_SHARE * (now_s - first_s)):
            self._told_s[report.task_id] = (first_s, now_s)
            log.info(
                "… trigger %d: epoch %d of %d, loss %.4f, %.0f s to go",
                parts_of(report.task_id).trigger_id,
                report.epoch,
                report.epochs,
                report.loss,
                report.eta_s,
            )


def tell_set_up(report: SetUp, versions: Versions) -> None:
    """A worker has set itself up for the run; one that runs something else than the others is named."""
    but = f", but {report.error}" if report.error else ""
    log.info("worker %s is set up on %s%s", report.hostname, report.device, but)
    versions.compare(report.hostname, report.versions)


def _tell_decided(trigger: int, report: Decided) -> None:
    """What was decided for each target; one alone needs no name."""
    for told in report.targets:
        done = "deployed" if told.deployed else "not deployed"
        where = f" to {told.name}" if len(report.targets) > 1 else ""
        log.info("← model %d %s%s: %s", trigger, done, where, told.reason)


def _tell_again(event: LeaseExpired | Garbled | Unclaimed, before: RunState) -> None:
    """What an attempt came to that is no result, and what follows."""
    if isinstance(event, Unclaimed):
        what = "its message was lost"
    elif isinstance(event, Garbled):
        what = f"its report is of no use ({event.why})"
    else:
        what = f"{before.tasks[event.task_id].worker or 'its worker'} was lost"
    if not isinstance(event, Unclaimed) and is_hopeless(before, event.task_id):
        log.error("! %s is given up: %d workers were lost over it", event.task_id, before.settings.attempts)
    else:
        log.warning("! %s is published again: %s", event.task_id, what)


def _tell_fired(fired: Fired) -> None:
    log.info("→ trigger %d at key %d, %s: %s", fired.id, fired.key, _day(fired.timestamp_us), fired.reason)


def _day(timestamp_us: int) -> str:
    return format_timestamp(timestamp_us)[:16].replace("T", " ")

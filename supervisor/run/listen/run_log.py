"""Tells a run as a story: one log line for what matters, an arrow for what goes out, another for what comes back."""

from __future__ import annotations

import logging
import math
import time

from shared.ids import TaskId, parts_of
from shared.messages import Decided, Gathered, Progress, Selected, SetUp, Trained
from shared.timestamps import format_timestamp
from supervisor.core.notices import (
    Listener,
    Result,
    ResultCounted,
    RunEnded,
    RunForgotten,
    StopBegun,
    StreamOver,
    TaskGivenUp,
    TaskPublishedAgain,
    Told,
    TriggerFired,
)

log = logging.getLogger("run")

_TOLD_SHARE = 0.05  # between two lines on a training lies this share of the time it has taken


class RunLog(Listener):
    """Log lines for what happens."""

    def __init__(self) -> None:
        self._told_s: dict[TaskId, tuple[float, float]] = {}  # when its progress was told first, and last

    def hear(self, told: Told) -> None:
        """One line, or none."""
        match told:
            case TriggerFired(fired=fired):
                log.info("→ trigger %d at key %d, %s: %s", fired.id, fired.key, _day(fired.timestamp_us), fired.reason)
            case StreamOver():
                log.info("the stream ended at key %d", told.key)
            case ResultCounted():
                _tell_result(told.report)
            case TaskPublishedAgain():
                log.warning("! %s is published again: %s", told.task_id, told.why)
            case TaskGivenUp():
                parts = parts_of(told.task_id)
                log.error("! trigger %d: %s failed: %s", parts.trigger_id, parts.stage, told.sentence)
            case RunForgotten():
                log.warning("! Redis had forgotten the run; what is not claimed is published again")
            case StopBegun():
                log.info("stopping (%s): running work is handed back; --resume goes on", told.by)
            case RunEnded():
                (log.error if told.status == "failed" else log.info)("run %s: %s", told.status, told.reason)
            case Progress():
                self._tell_progress(told)
            case SetUp():
                but = f", but {told.error}" if told.error else ""
                log.info("worker %s is set up on %s%s", told.hostname, told.device, but)
            case _:
                pass

    def _tell_progress(self, report: Progress) -> None:
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


def _tell_result(report: Result) -> None:
    trigger = parts_of(report.task_id).trigger_id
    match report:
        case Selected():
            log.info("← trigger %d: %d samples selected of %d rows read", trigger, report.samples, report.rows_read)
        case Trained():
            where, how_long_s, loss = report.device, report.train_s, report.loss
            log.info("← trigger %d: trained on %s in %.1f s, loss %.4f", trigger, where, how_long_s, loss)
        case Gathered():
            log.info("← model %d committed", trigger)
        case Decided():
            _tell_decided(trigger, report)
        case _:
            pass


def _tell_decided(trigger: int, report: Decided) -> None:
    """What was decided for each target; one alone needs no name."""
    for told in report.targets:
        done = "deployed" if told.deployed else "not deployed"
        where = f" to {told.name}" if len(report.targets) > 1 else ""
        log.info("← model %d %s%s: %s", trigger, done, where, told.reason)


def _day(timestamp_us: int) -> str:
    return format_timestamp(timestamp_us)[:16].replace("T", " ")

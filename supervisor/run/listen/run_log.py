"""Tells a run as a story: one log line for what matters, an arrow for what goes out, another for what comes back."""

from __future__ import annotations

import logging
import math
import re
import time
from typing import Any

from shared.ids import RunId, TaskId, parts_of
from shared.messages.reports import (
    Decided,
    Evaluated,
    Gathered,
    Progress,
    Report,
    Selected,
    SetUp,
    TargetDecision,
    Trained,
)
from shared.timestamps import format_timestamp, to_the_minute
from supervisor.core.notices import (
    ClocksChanged,
    Listener,
    NeverFired,
    NeverLabelled,
    ResultCounted,
    RowsMisdated,
    RowsNotAsExpected,
    RowsReleased,
    RunEnded,
    RunForgotten,
    StopBegun,
    StreamOver,
    TaskGivenUp,
    TaskPublishedAgain,
    Told,
    TriggerCoalesced,
    TriggerConsidered,
    TriggerDeclined,
    TriggerFired,
    Waits,
)
from supervisor.core.seen import Fired
from supervisor.core.state import RunState
from supervisor.results.set_aside import not_as_expected
from supervisor.results.times import misdated_rows, never_fired
from supervisor.run.listen.estimated import estimated
from supervisor.run.listen.near_misses import NearMisses
from supervisor.run.listen.odd_files import odd_files
from supervisor.run.listen.odd_rows import odd_columns, odd_rows
from supervisor.run.listen.whose import whose
from supervisor.system.unread import Telling

log = logging.getLogger(__name__)

_WAITS_EVERY_S = 60.0
_WORTH_TELLING_S = 1.0  # a selection that takes less is no part of the bill
_TOLD_SHARE = 0.05  # between two lines on a training lies this share of the time it has taken


class RunLog(Listener):
    """Log lines for what happens; each carries run, event, trigger, task and worker, for `--log-format json`."""

    def __init__(
        self,
        run_id: RunId,
        telling: Telling | None = None,
        *,
        waits_every_s: float = _WAITS_EVERY_S,
        near_misses: NearMisses | None = None,
    ) -> None:
        """`telling`: what was said before the run."""
        self._run_id, self._telling = run_id, telling or Telling()
        self._near_misses = near_misses or NearMisses()
        self._waits: Waits | None = None  # not told yet
        self._waits_every_s, self._waits_due_s = waits_every_s, 0.0
        self._told_s: dict[TaskId, tuple[float, float]] = {}  # when its progress was told first, and last
        self._told_columns: set[tuple[str, str]] = set()  # what was told of a column, and which: once a run

    def hear(self, told: Told) -> None:
        """One line, or none; several for a model that more than one target was offered."""
        if isinstance(told, Progress) and not self._is_due(told.task_id):
            return
        if isinstance(told, Waits):
            self._waits = told
            return
        if isinstance(told, TriggerConsidered):
            self._waits = None  # that was before this look
            self._near_misses.hear(told)
            self._say_near_miss(self._near_misses.take_due())
            return
        if isinstance(told, TriggerFired | RunEnded):
            self._say_near_miss(self._near_misses.take_last())
        if isinstance(told, TriggerFired):
            self._waits, self._waits_due_s = None, time.monotonic() + self._waits_every_s
        if isinstance(told, ResultCounted):
            self._told_s.pop(told.report.task_id, None)
        elif isinstance(told, TaskGivenUp | TaskPublishedAgain):
            self._told_s.pop(told.task_id, None)
        for level, line in [*_lines(told), *odd_files(told, self._telling), *self._new_of_columns(told)]:
            self._say(told, level, line)

    def turn(self, state: RunState, rows: int) -> None:
        """What is waited for, where it has changed: not right after a trigger, and not again and again."""
        self._say_near_miss(self._near_misses.take_due())
        if self._waits is not None and time.monotonic() >= self._waits_due_s:
            self._say(self._waits, logging.INFO, f"… {self._waits.sentence}")
            if self._waits.begun:
                self._waits_due_s = time.monotonic() + self._waits_every_s
            self._waits = None

    def _say(self, told: Told, level: int, line: str) -> None:
        log.log(level, "%s", line, extra={"run": self._run_id, **_fields(told)})

    def _say_near_miss(self, taken: tuple[TriggerConsidered, str] | None) -> None:
        if taken is not None:
            self._say(taken[0], logging.INFO, taken[1])

    def _new_of_columns(self, told: Told) -> list[tuple[int, str]]:
        """What columns have become that they were not before."""
        if not isinstance(told, ResultCounted) or not isinstance(told.report, Trained):
            return []
        new = {one: line for one, line in odd_columns(told.report).items() if one not in self._told_columns}
        self._told_columns |= new.keys()
        return list(new.values())

    def _is_due(self, task_id: TaskId) -> bool:
        """How a training goes is told every second at first, and ever more seldom if it goes on for hours."""
        now_s = time.monotonic()
        first_s, last_s = self._told_s.get(task_id, (now_s, -math.inf))
        due = now_s - last_s > max(1.0, _TOLD_SHARE * (now_s - first_s))
        if due:
            self._told_s[task_id] = (first_s, now_s)
        return due


def _lines(told: Told) -> list[tuple[int, str]]:
    """What people read of it, with its level."""
    match told:
        case TriggerFired() | TriggerDeclined() | TriggerCoalesced() | RowsReleased():
            line = _of_policy(told)
        case StreamOver() | ClocksChanged():
            line = _of_rows(told)
        case ResultCounted():
            return [*((logging.INFO, line) for line in _of_result(told.report)), *odd_rows(told.report)]
        case TaskPublishedAgain():
            of, stage = whose(told.task_id), parts_of(told.task_id).stage
            return [(logging.WARNING, f"! {of}: {stage} is published again: {told.why}")]
        case TaskGivenUp():
            of, stage = whose(told.task_id), parts_of(told.task_id).stage
            return [(logging.ERROR, f"! {of}: {stage} failed: {told.sentence}")]
        case RowsNotAsExpected():
            return [(logging.WARNING, f"! {not_as_expected(told.violated)}")]
        case RunForgotten() | RowsMisdated() | NeverFired() | NeverLabelled():
            return [(logging.WARNING, f"! {_warning(told)}")]
        case StopBegun():
            line = f"stopping ({told.by}): running work is handed back; --resume goes on"
        case RunEnded():
            return [(logging.ERROR if told.status == "failed" else logging.INFO, f"run {told.status}: {told.reason}")]
        case Progress():
            trigger, left_s = parts_of(told.task_id).trigger_id, f"{told.eta_s:.0f} s to go"
            line = f"… trigger {trigger}: epoch {told.epoch} of {told.epochs}, loss {told.loss:.4f}, {left_s}"
        case SetUp():
            but = f", but {told.error}" if told.error else ""
            line = f"worker {told.hostname} is set up on {told.device}{but}"
        case _:
            return []
    return [(logging.INFO, line)]


def _of_policy(
    told: TriggerFired | TriggerDeclined | TriggerCoalesced | RowsReleased,
) -> str:
    match told:
        case TriggerFired(fired=fired):
            at = f"at key {fired.key}, {_minute(fired.timestamp_us)}"
            return f"→ trigger {fired.id} {at}: {fired.reason}{_known(fired)}"
        case RowsReleased():
            return f"  trigger {told.trigger_id} has {told.rows:,} rows that were held"
        case TriggerDeclined():
            return f"  no trigger by hand ({told.why}): {told.sentence}"
    return f"  trigger {told.trigger_id} goes into trigger {told.into}, as trainings are behind"


def _of_rows(told: StreamOver | ClocksChanged) -> str:
    if isinstance(told, ClocksChanged):
        return f"  {told.found.told()}; `clock_changes` of summary.json counts on"
    return f"the stream ended at key {told.key}"


def _warning(told: RunForgotten | RowsMisdated | NeverFired | NeverLabelled) -> str:
    match told:
        case RowsMisdated():
            return misdated_rows(told.misdated)
        case NeverFired():
            return never_fired(told.rows, told.first_us, told.last_us)
        case NeverLabelled():
            return (
                f"none of {told.rows:,} rows has found a label, so nothing was trained: no row has the key of one. "
                "`validate` says what the keys of both are; see labels.key of the dataset in config.yaml."
            )
    return "Redis had forgotten the run; what is not claimed is published again"


def _of_result(report: Report) -> list[str]:
    trigger = parts_of(report.task_id).trigger_id
    match report:
        case Selected():
            return [f"← trigger {trigger}: {_of_selection(report)}"]
        case Trained():
            how = f"on {report.device} in {report.train_s:.1f} s, loss {report.loss:.4f}"
            return [f"← trigger {trigger}: trained {how}"]
        case Gathered():
            return [f"← model {trigger} committed"]
        case Decided():
            return [_of_decision(trigger, told, several=len(report.targets) > 1) for told in report.targets]
        case Evaluated() if parts_of(report.task_id).stage == "estimate":
            return estimated(report)
        case _:
            return []


def _of_selection(report: Selected) -> str:
    """From what, by whom, and in which time. What is remembered was not read, so there may be more of it."""
    chosen = report.chosen
    by = f" by {chosen.by}" if chosen.by else ""
    rows = f" of {report.rows_read:,} rows read"
    if chosen.remembered:
        rows = f", {chosen.remembered:,} of them remembered; {report.rows_read:,} rows read"
    took = f" in {report.select_s:.0f} s" if report.select_s and report.select_s >= _WORTH_TELLING_S else ""
    but = "" if report.samples else "; there is nothing to train on, and the model before stays the newest"
    if chosen.without_model:
        but = "; at random where a model would be asked, as there is none yet"
    return f"{report.samples:,} samples selected{by}{rows}{took}{but}"


def _of_decision(trigger: int, told: TargetDecision, *, several: bool) -> str:
    """What was decided for one target; one alone needs no name."""
    where = f" to {told.name}" if several else ""
    return f"← model {trigger} {'deployed' if told.deployed else 'not deployed'}{where}: {told.reason}"


def _fields(told: Told) -> dict[str, Any]:
    """What a machine filters lines by."""
    about = told.report if isinstance(told, ResultCounted) else told
    fields: dict[str, Any] = {"event": re.sub(r"(?<!^)(?=[A-Z])", "_", type(about).__name__).lower()}
    task_id, worker = getattr(about, "task_id", None), getattr(about, "worker", None)
    if isinstance(told, TriggerFired | TriggerCoalesced):
        fields["trigger"] = told.fired.id if isinstance(told, TriggerFired) else told.trigger_id
    if task_id is not None:
        fields |= {"trigger": parts_of(task_id).trigger_id, "task": task_id}
    return fields if worker is None else {**fields, "worker": worker}


def _known(fired: Fired) -> str:
    """Where labels come later than their rows, up to which row they are known."""
    if fired.labels is None:
        return ""
    if fired.labelled_key is None:
        return "; no label is known"
    all_before = fired.labels.position is None  # else rows before may still wait
    told = "labels are known up to" if all_before else "the last row whose label is known has"
    return f"; {told} key {fired.labelled_key}"


def _minute(timestamp_us: int) -> str:
    return to_the_minute(format_timestamp(timestamp_us))

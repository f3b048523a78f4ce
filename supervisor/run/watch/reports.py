"""The streams on which the workers of a run report to its supervisor: what counts, and how far trainings are."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple, cast

import msgspec
import redis

from shared import names
from shared.config.secrets import hide
from shared.ids import RunId, TaskId
from shared.messages.reports import AnyReport, Decided, Failed, decode_report

log = logging.getLogger(__name__)

_AT_ONCE = 500
_BEGINNING = "0"


class Unreadable(NamedTuple):
    """What is no report of this version, such as that of a worker that runs other code."""

    task_id: TaskId
    attempt: int
    why: str


class Entry(NamedTuple):
    """A report and its place in the stream."""

    position: str
    report: AnyReport | Unreadable


def _report_in(fields: dict[str, str]) -> AnyReport | Unreadable | None:
    """None for what marks a place, or does not even say what task it is of."""
    try:
        return _hidden(decode_report(fields.get("report", "")))
    except msgspec.MsgspecError as error:
        if fields.get("task") and fields.get("attempt", "").isdecimal():
            return Unreadable(TaskId(fields["task"]), int(fields["attempt"]), str(error))
        if fields.get("report"):
            log.warning("! what is no report of this version is left out: %s", error)
        return None


def _hidden(report: AnyReport) -> AnyReport:
    """Without what `${NAME}` stands for: a worker has never read the file that says which words those are."""
    if isinstance(report, Failed):
        return msgspec.structs.replace(report, sentence=hide(report.sentence), traceback=hide(report.traceback))
    if isinstance(report, Decided):
        targets = tuple(msgspec.structs.replace(one, reason=hide(one.reason)) for one in report.targets)
        return msgspec.structs.replace(report, targets=targets)
    return report


class Reports:
    """Reads on from where it was; every method raises redis.RedisError if the broker is away."""

    def __init__(self, client: redis.Redis, run_id: RunId, position: str) -> None:
        self._client = client
        self._key = names.reports_key(run_id)
        self._position = position
        self._progress_key = names.progress_key(run_id)
        self._shown: str | None = None  # the last progress that was heard, or passed over; no session keeps it
        self.heard_all = True  # that there was at the last look

    def next(self, block_s: float) -> list[Entry]:
        """What came since, in order, and progress behind it; waits for up to `block_s` if that is nothing."""
        if self._shown is None:
            self._shown = self._newest_progress()
        wanted = {self._key: self._position, self._progress_key: self._shown}
        block_ms = round(block_s * 1000) or None
        answer = cast(Any, self._client.xread(cast(Any, wanted), count=_AT_ONCE, block=block_ms)) or []
        told = {key: value[0] for key, value in answer.items()} if isinstance(answer, dict) else dict(answer)
        counts, shown = told.get(self._key, []), told.get(self._progress_key, [])
        self._position = counts[-1][0] if counts else self._position
        self._shown = shown[-1][0] if shown else self._shown
        self.heard_all = len(counts) < _AT_ONCE
        raw = [*counts, *shown]
        return [Entry(position, report) for position, fields in raw if (report := _report_in(fields)) is not None]

    def wake(self) -> None:
        """Have who waits for reports wait no longer, from another thread."""
        pipe = self._client.pipeline(transaction=False)
        pipe.xadd(self._progress_key, {"report": ""}, maxlen=names.PROGRESS_KEPT, approximate=True)
        pipe.pexpire(self._progress_key, names.PROGRESS_TTL_MS)
        pipe.execute()

    def _newest_progress(self) -> str:
        """Where what was shown before ends: it is of no interest any more."""
        newest = cast(Any, self._client.xrevrange(self._progress_key, count=1))
        return str(newest[0][0]) if newest else _BEGINNING

    def trim(self, position: str) -> None:
        """Drop what lies before `position`: the journal has it."""
        self._client.xtrim(self._key, minid=position, approximate=False)

    def continue_stream(self, position: str) -> None:
        """Have what is told from now on come after `position`.

        The stream of a Redis that was wiped, and whose clock went back, would begin before it, and never be heard.
        """
        self._shown = None
        if position == _BEGINNING:
            return
        try:
            self._client.xadd(self._key, {"report": ""}, id=position)
        except redis.ResponseError:  # it has come further, as nearly always
            return
        self._client.xdel(self._key, position)

    def drop(self, entries: list[Entry]) -> None:
        """Take these entries out of the stream."""
        if entries:
            self._client.xdel(self._key, *(entry.position for entry in entries))

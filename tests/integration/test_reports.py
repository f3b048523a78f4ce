"""The stream of reports, on a real Redis: what can be read, and what cannot."""

from __future__ import annotations

import pytest
import redis

from shared import names
from shared.claims import Attempt, Claims
from shared.config.secrets import fill
from shared.ids import RunId, TaskId, WorkerId
from shared.messages.reports import Failed, Released
from supervisor.run.watch.reports import Reports, Unreadable

RUN, TASK = RunId("run"), TaskId("run/0/train/0")


def test_a_report_of_another_version_says_whose_it_is(client: redis.Redis, caplog: pytest.LogCaptureFixture) -> None:
    """Its worker runs other code: the task is known, so it can be done again; what says nothing at all is left out."""
    reports = Reports(client, RUN, "0")
    client.xadd(names.reports_key(RUN), {"report": '{"report": "levitated"}', "task": TASK, "attempt": "3"})
    client.xadd(names.reports_key(RUN), {"report": "nonsense"})
    (entry,) = reports.next(0.0)
    assert isinstance(entry.report, Unreadable)
    assert (entry.report.task_id, entry.report.attempt) == (TASK, 3)
    assert "levitated" in entry.report.why
    assert "what is no report of this version is left out" in caplog.text


def test_whoever_reports_says_whose_it_is(client: redis.Redis) -> None:
    """Beside the report, for a supervisor that cannot read it."""
    mine = Attempt(run_id=RUN, task_id=TASK, number=2, worker=WorkerId("a"))
    Claims(client).claim(mine, 60.0)
    Claims(client).report(mine, Released(task_id=TASK, attempt=2, worker=mine.worker), None)
    told = [fields for _, fields in client.xrange(names.reports_key(RUN))]
    assert [(one["task"], one["attempt"]) for one in told] == [(TASK, "2"), (TASK, "2")]


def test_it_is_known_whether_all_was_heard(client: redis.Redis) -> None:
    """Of a long backlog some is still to come, and no task of it may be taken for forgotten."""
    mine = Attempt(run_id=RUN, task_id=TASK, number=1, worker=WorkerId("a"))
    for _ in range(600):
        Claims(client).claim(mine, 60.0)
    reports = Reports(client, RUN, "0")
    assert (len(reports.next(0.0)), reports.heard_all) == (500, False)
    assert (len(reports.next(0.0)), reports.heard_all) == (100, True)


def test_what_the_environment_filled_in_is_not_journaled(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker has never read the file that says which words are secrets, and quotes a column or an address."""
    monkeypatch.setenv("A_COLUMN", "s3cret-of-reports")
    fill("${A_COLUMN}")
    mine = Attempt(run_id=RUN, task_id=TASK, number=1, worker=WorkerId("a"))
    Claims(client).claim(mine, 60.0)
    who = {"task_id": TASK, "attempt": 1, "worker": mine.worker}
    said = Failed(**who, sentence="s3cret-of-reports is null", traceback='KeyError: "s3cret-of-reports"')
    Claims(client).report(mine, said, None)
    heard = [entry.report for entry in Reports(client, RUN, "0").next(0.0)]
    assert Failed(**who, sentence="${A_COLUMN} is null", traceback='KeyError: "${A_COLUMN}"') in heard

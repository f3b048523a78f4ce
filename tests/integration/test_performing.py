"""One task from claim to report, in this process: what counts, what is handed back, and what a child leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from children import child_of
from workplace import Workplace

from shared import names
from shared.claims import Attempt, ClaimAnswer, Claims
from shared.config.load import load_configuration
from shared.dataset.manifest import discover
from shared.ids import RunId, TaskId, TriggerId, WorkerId, task_id
from shared.messages.reports import AnyReport, Failed, Released, Selected, decode_report
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import SelectTask
from supervisor.system.setup import setup_record, write_setup
from workers.process.perform import Performer, Unfinished

RUN = RunId("run")
SELECT = task_id(RUN, TriggerId(0), "select")
ANOTHER = WorkerId("another@here-000000000000")


@pytest.fixture
def performer(redis_url: str, tmp_path: Path) -> Iterator[Performer]:
    """This process as a worker's child."""
    (tmp_path / "slot").mkdir()
    child = child_of(tmp_path / "slot", redis_url, role="evaluate")
    yield Performer(child)
    child.client.close()


@pytest.fixture
def record(small: Workplace, client: redis.Redis) -> SetupRecord:
    """A run of the workplace, set up."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    root = configuration.system.artifacts_root
    discover(configuration.system.datasets["rows"], root)
    record = setup_record(configuration, RUN, str(small.run_dir), root, serves=False)
    write_setup(client, record)
    return record


def message(record: SetupRecord, **differing: Any) -> dict[str, Any]:
    """A selection of the first 500 rows."""
    task = SelectTask(
        run_id=RUN,
        trigger_id=TriggerId(0),
        setup_version=record.version,
        first_key=0,
        previous_trigger_keys=(),
        trigger_key=499,
        trigger_timestamp_us=0,
        samples_seen=500,
    )
    told: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(task, **differing))
    return told


def reports(client: redis.Redis) -> list[AnyReport]:
    """What the supervisor hears, but for claims and setting up."""
    entries: Any = client.xrange(names.reports_key(RUN))
    told = [decode_report(fields["report"]) for _, fields in entries]
    return [one for one in told if isinstance(one, Selected | Failed | Released)]


def claimed_by_another(record: SetupRecord, client: redis.Redis, number: int = 1) -> Attempt:
    """Another worker has the task."""
    attempt = Attempt(run_id=RUN, task_id=TaskId(SELECT), number=number, worker=ANOTHER)
    assert Claims(client).claim(attempt, record.lease_s)[0] is ClaimAnswer.OK
    return attempt


def test_a_task_is_done_once_and_its_result_given_again(
    performer: Performer, record: SetupRecord, client: redis.Redis
) -> None:
    """A second delivery gets what was recorded, without a second report; the child is idle between the two."""
    first = performer.perform(SELECT, message(record), [])
    slot = performer.child.slot.read()
    assert slot is not None
    assert slot.attempt is None
    assert performer.perform(SELECT, message(record), []) == first
    (report,) = reports(client)
    assert isinstance(report, Selected)
    assert report.rows_read == 500


def test_what_another_worker_has_is_left_to_it(performer: Performer, record: SetupRecord, client: redis.Redis) -> None:
    """Also if it has a newer attempt; nothing is worked on, and nothing reported."""
    claimed_by_another(record, client)
    with pytest.raises(Unfinished, match="busy"):
        performer.perform(SELECT, message(record), [])
    client.flushdb()
    write_setup(client, record)
    claimed_by_another(record, client, number=2)
    with pytest.raises(Unfinished, match="superseded"):
        performer.perform(SELECT, message(record), [])
    assert reports(client) == []


def test_a_message_of_another_version_or_of_a_run_that_is_over_is_let_go(
    performer: Performer, record: SetupRecord, client: redis.Redis
) -> None:
    """Nobody knows what the first means; of the second nothing is known any more."""
    with pytest.raises(Unfinished, match="message of version 99"):
        performer.perform(SELECT, message(record, version=99), [])
    client.delete(names.setup_key(RUN))
    with pytest.raises(Unfinished, match="not set up any more"):
        performer.perform(SELECT, message(record), [])


def test_a_worker_that_is_asked_to_go_hands_its_task_back(
    performer: Performer, record: SetupRecord, client: redis.Redis
) -> None:
    """It says so, and the same attempt is free for others."""
    performer.child.slot.ask_to_stop()
    with pytest.raises(Unfinished, match="to be done again"):
        performer.perform(SELECT, message(record), [])
    assert [type(report) for report in reports(client)] == [Released]
    claimed_by_another(record, client)


def test_rows_that_are_missing_fail_the_task_so_that_it_can_be_resumed(
    performer: Performer, record: SetupRecord, client: redis.Redis
) -> None:
    """A sentence for people, and no result that a chord could take for one."""
    with pytest.raises(Unfinished, match="to be done again"):
        performer.perform(SELECT, message(record, trigger_key=9999), [])
    (report,) = reports(client)
    assert isinstance(report, Failed)
    assert (report.resumable, report.device) == (True, False)
    assert "ends before key 2000, and rows up to key 9999 are needed" in report.sentence

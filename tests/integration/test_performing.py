"""One task from claim to report, in this process: what counts, what is handed back, and what a child leaves behind."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis
from children import child_of
from disks import fill, small_disk
from workplace import Workplace

from shared import names
from shared.claims import Attempt, ClaimAnswer, Claims
from shared.config.load import load_configuration
from shared.dataset.discovery import discover
from shared.ids import RunId, TaskId, TriggerId, WorkerId, task_id
from shared.messages.reports import AnyReport, Failed, Released, Selected, SetUp, Trained, decode_report
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import SelectTask, TrainTask
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
    return set_up(small, client)


def set_up(small: Workplace, client: redis.Redis) -> SetupRecord:
    """Set up a run of the workplace as it is now."""
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
        previous=(),
        labelled_key=499,
        trigger_key=499,
        trigger_timestamp_us=0,
        first_labelled_key=499,
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


@pytest.mark.parametrize(("column", "value"), [("x0", np.inf), ("label", 7)])
def test_a_bad_row_is_its_triggers_fault(
    performer: Performer, small: Workplace, client: redis.Redis, column: str, value: float
) -> None:
    """No --resume finds another value in it: where a run goes on after a model that raises, it goes on after this."""
    file = small.folder / "data" / "part-0.parquet"
    rows = pq.read_table(file)
    values = rows[column].to_numpy().copy()
    values[100:110] = value
    place = rows.column_names.index(column)
    pq.write_table(rows.set_column(place, column, pa.array(values)), file)
    record = set_up(small, client)
    performer.perform(SELECT, message(record), [])
    (selected,) = reports(client)
    assert isinstance(selected, Selected)
    task = TrainTask(
        run_id=RUN,
        trigger_id=TriggerId(0),
        setup_version=record.version,
        member=0,
        training_set=selected.training_set,
        trigger_key=499,
        previous_model=None,
    )
    performer.perform(task_id(RUN, TriggerId(0), "train"), msgspec.to_builtins(task), [])
    failed = reports(client)[-1]
    assert isinstance(failed, Failed)
    assert "at key 10" in failed.sentence
    assert not failed.resumable


def lacks_a_package(record: SetupRecord, client: redis.Redis) -> SetupRecord:
    """The same run, whose strategy is another package's that is not here."""
    strategy = msgspec.structs.replace(record.pipeline.strategy, name="every_third")
    pipeline = msgspec.structs.replace(record.pipeline, strategy=strategy)
    lacking = msgspec.structs.replace(record, pipeline=pipeline, version=record.version + 1)
    write_setup(client, lacking)
    return lacking


def test_a_worker_that_lacks_a_package_says_so_and_blames_no_trigger(
    performer: Performer, record: SetupRecord, client: redis.Redis
) -> None:
    """When it is set up, as a finding; and of a task that it takes later: the run can go on once it is installed."""
    lacking = lacks_a_package(record, client)
    performer.setups.set_up(RUN, lacking.version)
    ((_, fields),) = cast(Any, client.xrange(names.reports_key(RUN)))
    told = decode_report(fields["report"])
    assert isinstance(told, SetUp)
    (finding,) = told.findings
    assert (finding.path, finding.exit_code) == ("strategy.name", 3)
    assert f"on {socket.gethostname()} every_third (modyn.strategies) is not installed" in finding.sentence
    with pytest.raises(Unfinished, match="to be done again"):
        performer.perform(SELECT, message(lacking), [])
    (report,) = reports(client)
    assert isinstance(report, Failed)
    assert (report.resumable, report.device, finding.sentence in report.sentence) == (True, False, True)


def test_a_worker_that_is_set_up_when_the_run_is_over_leaves_nothing(
    performer: Performer, record: SetupRecord, client: redis.Redis
) -> None:
    """Nobody would read its answer, and nothing would remove it again."""
    assert performer.setups.record(RUN, record.version) == record
    client.flushdb()
    performer.setups.set_up(RUN, record.version)
    assert client.keys() == []


def test_a_training_says_where_it_was_done(
    record: SetupRecord, client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    """On the CPU if the pipeline says so, whatever its worker has."""
    pipeline = msgspec.structs.replace(
        record.pipeline, training=msgspec.structs.replace(record.pipeline.training, device="cpu")
    )
    on_cpu = msgspec.structs.replace(record, pipeline=pipeline, version=record.version + 1)
    write_setup(client, on_cpu)
    (tmp_path / "slot").mkdir()
    performer = Performer(child_of(tmp_path / "slot", redis_url, device="meta"))
    performer.perform(SELECT, message(on_cpu), [])
    (selected,) = reports(client)
    assert isinstance(selected, Selected)
    who = {"run_id": RUN, "trigger_id": TriggerId(0), "setup_version": on_cpu.version}
    task = TrainTask(**who, member=0, training_set=selected.training_set, trigger_key=499, previous_model=None)
    performer.perform(task_id(RUN, TriggerId(0), "train"), msgspec.to_builtins(task), [])
    performer.child.client.close()
    ((_, fields),) = cast(Any, client.xrevrange(names.reports_key(RUN), count=1))
    trained = decode_report(fields["report"])
    assert isinstance(trained, Trained)
    assert (performer.child.device, trained.device) == ("meta", "cpu")


def test_a_task_whose_worker_cannot_say_that_it_has_it_fails_so_that_it_can_be_resumed(
    record: SetupRecord, client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    """The disk in memory is full: a sentence with place and remedy, and not a worker that is lost again and again."""
    with small_disk(tmp_path / "memory", 64 * 1024) as disk:
        performer = Performer(child_of(disk, redis_url, role="evaluate"))
        filler = fill(disk)
        with pytest.raises(Unfinished, match="to be done again"):
            performer.perform(SELECT, message(record), [])
        (report,) = reports(client)
        assert isinstance(report, Failed)
        assert (report.resumable, report.device) == (True, False)
        assert f"{disk}, where it keeps what it works on: No space left on device. Make room in" in report.sentence
        assert performer.child.slot.refusal() == report.sentence
        filler.unlink()
        performer.child.client.close()

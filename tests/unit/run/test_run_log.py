"""What the lines of a run say to a machine."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from shared.artifacts import ArtifactRef
from shared.clock_changes import ClockChanges
from shared.config.pipeline import Logging
from shared.ids import RunId, TaskId, TriggerId, WorkerId
from shared.messages.reports import Chosen, Progress, Selected
from shared.timestamps import parse_timestamp_us
from supervisor.cli.log import log_to_files
from supervisor.core.notices import (
    ClocksChanged,
    NeverFired,
    ResultCounted,
    RowsMisdated,
    RunEnded,
    TaskPublishedAgain,
    TriggerConsidered,
    TriggerFired,
    Waits,
)
from supervisor.core.seen import Considered, Fired, Misdated
from supervisor.core.state import RunState
from supervisor.run.listen.near_misses import NearMisses
from supervisor.run.listen.run_field import lines_of
from supervisor.run.listen.run_log import RunLog

RUN = RunId("20250101T000000Z-ab12cd")


@pytest.fixture
def lines(tmp_path: Path) -> list[dict[str, str]]:
    """A notice of a trigger and one of a task, a line of somebody else's within the run, and one after it."""
    (tmp_path / "pipeline.yaml").touch()
    logging.getLogger().setLevel("INFO")
    settings = Logging(level="info", to=("file:run.log",), metrics_every_batches=1)
    with log_to_files(settings, tmp_path, "json"):
        with lines_of(RUN):
            log = RunLog(RUN)
            log.hear(TriggerFired(fired=Fired(id=TriggerId(3), key=9, timestamp_us=0, reason="10 rows")))
            who = {"task_id": TaskId(f"{RUN}/3/train/0"), "attempt": 1, "worker": WorkerId("w")}
            log.hear(Progress(**who, epoch=1, epochs=2, loss=0.5, eta_s=9.0))
            logging.getLogger("supervisor.run.broker").info("the broker is back")
        logging.getLogger("elsewhere").info("another run")
    return [json.loads(line) for line in (tmp_path / "run.log").read_text().splitlines()]


def test_every_line_of_a_run_has_its_id(lines: list[dict[str, str]]) -> None:
    """Whoever wrote it; what comes later has not."""
    assert [line.get("run") for line in lines] == [RUN] * (len(lines) - 1) + [None]


def test_a_notice_has_event_trigger_task_and_worker_as_fields(lines: list[dict[str, str]]) -> None:
    """As far as it is of any."""
    fired, trains = lines[0], lines[1]
    assert (fired["event"], fired["trigger"]) == ("trigger_fired", 3)
    assert (trains["event"], trains["trigger"], trains["worker"]) == ("progress", 3, "w")
    assert trains["task"] == f"{RUN}/3/train/0"


@pytest.mark.parametrize(("select_s", "told"), [(None, ""), (0.4, ""), (26.9, " in 27 s")])
def test_a_selection_that_takes_long_says_how_long(
    caplog: pytest.LogCaptureFixture, select_s: float | None, told: str
) -> None:
    """It may cost more than the training that it makes cheap."""
    caplog.set_level("INFO")
    who = {"task_id": TaskId(f"{RUN}/3/select/0"), "attempt": 1, "worker": WorkerId("w")}
    chosen = ArtifactRef(name="sets/3", sha256="0" * 64, size_bytes=1)
    report = Selected(**who, training_set=chosen, samples=407, rows_read=5017, watermark_key=10040, select_s=select_s)
    RunLog(RUN).hear(ResultCounted(report=report))
    assert caplog.messages == [f"← trigger 3: 407 samples selected of 5,017 rows read{told}"]


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        (Chosen(by="uniform"), "407 samples selected by uniform of 300 rows read in 3 s"),
        (Chosen(remembered=150), "407 samples selected, 150 of them remembered; 300 rows read in 3 s"),
        (
            Chosen(by="craig", without_model=True),
            "407 samples selected by craig of 300 rows read in 3 s; drawn at random, as there is no model yet",
        ),
    ],
)
def test_a_selection_says_how_it_was_made_where_it_is_not_as_always(
    caplog: pytest.LogCaptureFixture, chosen: Chosen, told: str
) -> None:
    """Whose turn it was, that there may be more samples than rows were read, and that no model was asked."""
    caplog.set_level("INFO")
    who = {"task_id": TaskId(f"{RUN}/3/select/0"), "attempt": 1, "worker": WorkerId("w")}
    made = ArtifactRef(name="sets/3", sha256="0" * 64, size_bytes=1)
    counts = {"samples": 407, "rows_read": 300, "watermark_key": 10040, "select_s": 3.0}
    RunLog(RUN).hear(ResultCounted(report=Selected(**who, training_set=made, chosen=chosen, **counts)))
    assert caplog.messages == [f"← trigger 3: {told}"]


def test_times_that_cannot_be_right_are_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """With count, key, file and value, and what to do."""
    far_us, latest_us = parse_timestamp_us("2191-04-01"), parse_timestamp_us("2026-11-30")
    misdated = Misdated(rows=2, key=700, file="data/a.parquet", timestamp_us=far_us, latest_us=latest_us)
    RunLog(RUN).hear(RowsMisdated(misdated=misdated))
    (told,) = caplog.records
    assert told.levelname == "WARNING"
    for part in ("2 rows do not advance", "key 700 in data/a.parquet", "2191-04-01", "2026-11-30", "future_skew"):
        assert part in told.message


def test_changes_of_the_clocks_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """No warning: clocks do change; what becomes of such times is said."""
    caplog.set_level("INFO")
    RunLog(RUN).hear(ClocksChanged(found=ClockChanges(never=1, key=3, file="a.csv")))
    (told,) = caplog.records
    assert told.levelname == "INFO"
    for part in (
        "1 local time never occurs (moved forward by the gap)",
        "key 3 in a.csv",
        "`clock_changes` of summary",
    ):
        assert part in told.message


@pytest.mark.parametrize(
    ("rows", "first", "parts"),
    [
        (300, "2013-01-01", ["never fired on 300 rows", "from 2013-01-01T00:00:00", "to 2013-01-02T", "`every`"]),
        (300, None, ["never fired", "none of 300 rows"]),
        (0, None, ["never fired, as no row came"]),
    ],
)
def test_a_run_without_triggers_is_a_warning(
    caplog: pytest.LogCaptureFixture, rows: int, first: str | None, parts: list[str]
) -> None:
    """With the span of the stream, and where to look."""
    first_us = None if first is None else parse_timestamp_us(first)
    RunLog(RUN).hear(NeverFired(rows=rows, first_us=first_us, last_us=first_us and first_us + 86_400_000_000))
    (told,) = caplog.records
    assert told.levelname == "WARNING"
    assert all(part in told.message for part in parts)


def test_a_lost_worker_is_told_of_like_everything_else_of_a_trigger(caplog: pytest.LogCaptureFixture) -> None:
    """By the trigger's number and what was done, not by the name of a message."""
    RunLog(RUN).hear(TaskPublishedAgain(task_id=TaskId(f"{RUN}/0/train/0"), why="train-0 was lost"))
    assert [one.getMessage() for one in caplog.records] == ["! trigger 0: train is published again: train-0 was lost"]


@pytest.mark.parametrize(("every_s", "told"), [(60.0, ["none", "1 of 9"]), (0.0, ["none", "1 of 9", "2 of 9"])])
def test_what_is_waited_for_is_told_now_and_then(
    caplog: pytest.LogCaptureFixture, every_s: float, told: list[str]
) -> None:
    """At once when the first rows came, then once a minute at most, and only if it has changed."""
    caplog.set_level("INFO")
    log, state = RunLog(RUN, waits_every_s=every_s), RunState(settings=None)
    for sentence in ("none", "1 of 9", "2 of 9"):
        log.hear(Waits(sentence=sentence, begun=sentence != "none"))
        log.turn(state, 0)
        log.turn(state, 0)
    assert [record.getMessage() for record in caplog.records] == [f"… {sentence}" for sentence in told]


def test_what_was_waited_for_is_not_told_after_its_trigger(caplog: pytest.LogCaptureFixture) -> None:
    """Nor what the next one waits for right after it."""
    caplog.set_level("INFO")
    log, state = RunLog(RUN), RunState(settings=None)
    log.hear(Waits(sentence="8 of 9", begun=True))
    log.hear(TriggerFired(fired=Fired(id=TriggerId(0), key=9, timestamp_us=0, reason="9 rows")))
    log.hear(Waits(sentence="0 of 9", begun=True))
    log.turn(state, 0)
    (line,) = caplog.records
    assert "→ trigger 0" in line.getMessage()


def no_trigger(key: int) -> TriggerConsidered:
    """A near miss."""
    return TriggerConsidered(considered=Considered(key=key, reason="too near"))


@pytest.mark.parametrize(
    ("every_s", "told"),
    [
        (60.0, ["no trigger at key 1: too near", "no trigger at key 4: too near (and at 2 looks before)"]),
        (0.0, [f"no trigger at key {key}: too near" for key in (1, 2, 3, 4)]),
    ],
)
def test_of_many_near_misses_few_are_told_and_the_last_before_a_trigger(
    caplog: pytest.LogCaptureFixture, every_s: float, told: list[str]
) -> None:
    """With how many there were in between; none is told twice."""
    caplog.set_level("INFO")
    log = RunLog(RUN, near_misses=NearMisses(every_s))
    for key in (1, 2, 3, 4):
        log.hear(no_trigger(key))
    log.hear(TriggerFired(fired=Fired(id=TriggerId(0), key=9, timestamp_us=0, reason="9 rows")))
    log.turn(RunState(settings=None), 0)
    *before, fired = [record.getMessage().strip() for record in caplog.records]
    assert before == told
    assert fired.startswith("→ trigger 0")


def test_a_near_miss_that_no_other_follows_is_told_later(caplog: pytest.LogCaptureFixture) -> None:
    """As soon as a line may come again; at the run's end in any case."""
    caplog.set_level("INFO")
    near_misses = NearMisses()
    near_misses.hear(no_trigger(1))
    assert near_misses.take_due() is not None
    near_misses.hear(no_trigger(2))
    log, state = RunLog(RUN, near_misses=near_misses), RunState(settings=None)
    log.turn(state, 0)
    assert caplog.records == []
    log.hear(RunEnded(status="finished", reason="all rows were seen", workers_lost=0, reconnects=0))
    assert [record.getMessage().strip() for record in caplog.records][0] == "no trigger at key 2: too near"


def test_what_was_waited_for_is_not_told_after_a_near_miss(caplog: pytest.LogCaptureFixture) -> None:
    """It came, and the policy decided against it; what is waited for from then on is told."""
    caplog.set_level("INFO")
    log, state = RunLog(RUN), RunState(settings=None)
    log.hear(Waits(sentence="when event time reaches May", begun=True))
    log.hear(no_trigger(1))
    log.turn(state, 0)
    log.hear(Waits(sentence="when event time reaches June", begun=True))
    log.turn(state, 0)
    lines = [record.getMessage().strip() for record in caplog.records]
    assert lines == ["no trigger at key 1: too near", "… when event time reaches June"]

"""The table of runs, and all that `--json` says."""

from __future__ import annotations

import json
from argparse import Namespace
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console
from run_of_events import run_started
from workplace import Workplace

from shared.ids import RunId, TriggerId
from supervisor.cli.runs import run
from supervisor.cli.runs_table import notes, runs_table
from supervisor.cli.spans import span_in_words
from supervisor.core.events import Ended, Observed
from supervisor.core.seen import Fired
from supervisor.run.lock import Lock

ONE: dict[str, Any] = {
    "run_dir": "/data/runs/flights/2026-11-30T14-47-37Z",
    "status": "finished",
    "start": "2026-11-30T14:47:37.000000Z",
    "duration_s": 4_000.0,
    "triggers": 1_234,
    "score": {"accuracy": 0.91234, "auroc": 0.5},
    "deployed": 3,
    "rehearsed": True,
    "files_not_read": 0,
    "not_read": {},
    "rows_held": 0,
    "waits_for": None,
    "progress": None,
}


def shown(*runs: dict[str, Any]) -> str:
    """The table, a hundred columns wide."""
    text = StringIO()
    Console(width=100, file=text).print(runs_table(Path("/data/runs"), runs))
    return text.getvalue()


def test_a_run_is_a_line_of_a_hundred_columns() -> None:
    """Nothing is cut off; a replay's deployment is told as the rehearsal that it is."""
    text = shown(ONE)
    (line,) = [line for line in text.splitlines() if "finished" in line]
    for part in ("2026-11-30 14:47", "1 h 6 min", "1,234", "accuracy 0.9123", "3 (rehearsal)"):
        assert part in line
    assert "".join(text.split()).count("flights/2026-11-30T14-47-37Z") == 1 or "…" not in text
    assert "not read" not in text
    assert "model 3" in shown(ONE | {"rehearsed": False, "files_not_read": 2})
    assert "not read" in shown(ONE | {"files_not_read": 2})


def test_what_a_run_does_and_waits_for_is_a_line_below_the_table() -> None:
    """So that the table stays narrow."""
    running = ONE | {"progress": {"sentence": "7 of 9 triggers done"}, "waits_for": "500 of 2,000 rows"}
    assert list(notes(running)) == [f"{ONE['run_dir']}: 7 of 9 triggers done; 500 of 2,000 rows"]
    assert list(notes(ONE | {"not_read": {"a.csv": "a.csv is empty"}})) == [
        f"{ONE['run_dir']} does not read: a.csv is empty"
    ]


def test_rows_that_are_held_are_told() -> None:
    """They wait for a person."""
    assert list(notes(ONE | {"rows_held": 6_000})) == [
        f"{ONE['run_dir']} holds 6,000 rows that were not as expected, until a trigger by hand has them"
    ]


def test_brackets_in_a_name_are_shown_as_they_are() -> None:
    """As a list that was swept has them, and a folder that somebody named; in what is wrong with a run, too."""
    places = ["metrics=[accuracy, f1]", "of [/b]"]
    text = shown(*(ONE | {"run_dir": f"/{place}", "status": "[5]"} for place in places))
    for part in ("[accuracy,f1]", "of[/b]", "[5]"):
        assert part in "".join(text.split())


def test_the_name_of_a_sweeps_run_is_shown_as_it_was_typed() -> None:
    """Without the escapes of a folder's name; a whole path, to be copied, has them."""
    text = "".join(shown(*(ONE | {"run_dir": f"{root}/zone=UTC%2FGMT"} for root in ("/data/runs", "/tmp"))).split())
    assert "zone=UTC/GMT" in text
    assert "/tmp/zone=UTC%2FGMT" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.84, "0.8 s"),
        (9.96, "10 s"),
        (59.7, "1 min 0 s"),
        (185, "3 min 5 s"),
        (7_620, "2 h 7 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_spans(seconds: float, words: str) -> None:
    """In the two largest units."""
    assert span_in_words(seconds) == words


def a_run(folder: Path, events: list[Any], summary: dict[str, Any]) -> None:
    """A run directory, as far as it is looked at."""
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in events))
    (folder / "summary.json").write_text(json.dumps(summary))


EVENTS = [
    run_started(RunId("run")),
    Observed(
        time_us=1_500_000,
        key=9,
        event_time_us=0,
        triggers=(Fired(id=TriggerId(0), key=9, timestamp_us=0, reason="10 rows"),),
    ),
    Ended(time_us=2_000_000, status="finished", reason="all is scored", workers_lost=0, reconnects=0),
]


def test_where_there_is_no_run_a_sentence_says_so(small: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    """And not the head of a table."""
    small.write()
    assert run(Namespace(config=small.folder / "config.yaml", json=False)) == 0
    assert capsys.readouterr().out == f"no runs below {small.folder / 'runs'} yet\n"


def test_all_that_is_told_of_a_run(small: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    """From its journal, its summary, and while it goes on what it notes; of an end the note is no news."""
    small.write()
    place = small.folder / "runs" / "small" / "a"
    a_run(place, EVENTS, {"composite": {"accuracy": 0.75}, "samples_seen": 40, "waits_for": "rows"})
    (place / ".progress.json").write_text(json.dumps({"sentence": "0 of 1", "rows_seen": 10}))
    arguments = Namespace(config=small.folder / "config.yaml", json=True)
    assert run(arguments) == 0
    (told,) = json.loads(capsys.readouterr().out)
    expected = {"status": "finished", "mode": "experiment", "start": "1970-01-01T00:00:00.000000Z", "duration_s": 2.0}
    expected |= {"triggers": 1, "score": {"accuracy": 0.75}, "rows": 40, "deployed": None, "progress": None}
    assert expected.items() <= told.items()
    assert told["waits_for"] is None
    lock = Lock(place)
    lock.take()
    run(arguments)
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["status"], told["rows"], told["progress"]["sentence"], told["waits_for"]) == (
        ("running", 10, "0 of 1", "rows")
    )


@pytest.mark.parametrize("composite", [5, [1], {"accuracy": "x"}])
@pytest.mark.parametrize("progress", ["[]", '{"sentence": 5}', '{"sentence": "1 of 2", "rows_seen": {}}'])
def test_damaged_files_of_a_run_cost_no_more_than_what_they_said(
    small: Workplace, capsys: pytest.CaptureFixture[str], composite: Any, progress: str
) -> None:
    """The run is listed, with what its journal says."""
    small.write()
    place = small.folder / "runs" / "small" / "a"
    a_run(place, EVENTS, {"composite": composite})
    (place / ".progress.json").write_text(progress)
    lock = Lock(place)
    lock.take()
    assert run(Namespace(config=small.folder / "config.yaml", json=False)) == 0
    assert "running" in capsys.readouterr().out

"""What a worker that was started by hand says of its tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from workers.process.diary import Diary, Note
from workers.process.told_work import ToldWork

TRAIN = Note(kind="train", trigger=3, pipeline="flights")
EVALUATE = Note(kind="evaluate", trigger=3, pipeline="flights")


def over(note: Note, outcome: Any = "done", took_s: float = 2.5, sentence: str = "") -> Note:
    """The end of a task."""
    return msgspec.structs.replace(note, outcome=outcome, took_s=took_s, sentence=sentence)


class Told:
    """What is said, by a clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._work = ToldWork(lambda: self.now_s)

    def after(self, seconds: float, *notes: Note) -> list[str]:
        """The lines then."""
        self.now_s += seconds
        return list(self._work.lines(notes))

    def rest(self) -> list[str]:
        """At the worker's end."""
        return list(self._work.rest())


@pytest.mark.parametrize(
    ("end", "line"),
    [
        (over(TRAIN), "← train 3 of flights is done in 2.5 s"),
        (over(TRAIN, "failed", sentence="no room."), "! train 3 of flights failed after 2.5 s: no room."),
        (over(TRAIN, "released"), "← train 3 of flights is handed back after 2.5 s"),
        (
            over(TRAIN, "superseded"),
            "! train 3 of flights counts no more after 2.5 s: it was published again meanwhile",
        ),
    ],
)
def test_a_task_is_told_when_it_begins_and_when_it_is_over(end: Note, line: str) -> None:
    """With what became of it, and how long it took."""
    told = Told()
    assert told.after(0, TRAIN) == ["→ train 3 of flights"]
    assert told.after(2.5, end) == [line]


def test_a_flood_of_short_tasks_is_counted_and_told_once_a_minute() -> None:
    """The first few singly, as nobody knows what is to come; a failure always."""
    told, lines = Told(), list[str]()
    for _ in range(100):
        lines += told.after(0.5, EVALUATE, over(EVALUATE, took_s=0.5))
    assert lines == ["→ evaluate 3 of flights", "← evaluate 3 of flights is done in 0.5 s"] * 4
    assert told.after(1, EVALUATE, over(EVALUATE, "failed", sentence="no.")) == [
        "! evaluate 3 of flights failed after 2.5 s: no."
    ]
    assert told.after(12) == ["  in the last minute: 96 evaluations"]
    assert told.after(60) == []
    assert told.after(1, EVALUATE) == ["→ evaluate 3 of flights"]


def test_a_long_task_in_a_flood_is_told_when_it_has_lasted_a_while() -> None:
    """And then its end."""
    told = Told()
    told.after(0, *[EVALUATE, over(EVALUATE)] * 5)
    assert told.after(1, TRAIN) == []
    assert told.after(6) == ["→ train 3 of flights"]
    assert told.after(1, over(TRAIN)) == ["← train 3 of flights is done in 2.5 s"]
    assert told.rest() == ["  in the last minute: 1 evaluation"]


def test_the_diary_is_read_by_the_main_process_once(tmp_path: Path) -> None:
    """A look later, as the newest line may be half; nothing is written where nobody reads."""
    diary = Diary(tmp_path)
    diary.write(TRAIN)
    assert (diary.take(), list(tmp_path.iterdir())) == ([], [])
    diary.open()
    diary.write(TRAIN)
    assert diary.take() == []
    diary.write(over(TRAIN))
    assert [diary.take(), diary.take(), diary.take()] == [[TRAIN], [over(TRAIN)], []]

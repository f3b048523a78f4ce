"""Requests for a trigger, as files of a run directory, whoever is killed meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from run_of_events import run_started

from shared.ids import TriggerId
from supervisor.core.events import AnyEvent, Declined, Observed
from supervisor.core.seen import Fired
from supervisor.run.by_hand import Asking, ByHand, Request
from supervisor.run.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Of a run that has begun."""
    with closing(Journal(tmp_path / "journal.jsonl")) as one:
        one.append([run_started()])
        yield one


def supervisor(journal: Journal) -> ByHand:
    """A session of the run, which looks each time that it is asked."""
    return ByHand(journal.path.parent, journal.path, clock_s=count().__next__)


def asking(journal: Journal) -> Asking:
    """Somebody in another shell."""
    return Asking(journal.path.parent, journal.path, "labels were mended")


def fired(request: Request) -> AnyEvent:
    """The line of the journal that answers it."""
    one = Fired(id=TriggerId(7), key=99, timestamp_us=5, reason=f"by hand: {request.why}", request=request.id)
    return Observed(time_us=0, key=99, event_time_us=5, triggers=(one,))


def files(journal: Journal) -> list[Path]:
    """What lies there of requests."""
    return list((journal.path.parent / ".asked").iterdir())


def test_a_request_is_answered_once(journal: Journal) -> None:
    """Who asks learns which trigger it has become; nothing is left of it."""
    asks, answers = asking(journal), supervisor(journal)
    (request,) = answers.asked()
    assert (request.why, asks.answer()) == ("labels were mended", None)
    journal.append([fired(request)])
    answers.answered(request)
    found = asks.answer()
    assert isinstance(found, Fired)
    assert (found.id, found.reason) == (7, "by hand: labels were mended")
    assert (answers.asked(), files(journal)) == ([], [])


def test_who_asks_for_nothing_hears_why(journal: Journal) -> None:
    """That there is none is an answer, too, and not that to another request."""
    asks, other = asking(journal), asking(journal)
    request, _ = supervisor(journal).asked()
    journal.append([Declined(time_us=0, request=request.id, why="", sentence="no row has come", refused=False)])
    assert [type(one.answer()) for one in (asks, other)] == [Declined, type(None)]


def test_a_supervisor_that_is_killed_before_it_answers_does_so_when_it_is_back(journal: Journal) -> None:
    """Who asked may be gone."""
    asking(journal)
    (request,) = supervisor(journal).asked()
    assert supervisor(journal).asked() == [request]


@pytest.mark.parametrize("name", [".taken", ".json"])
def test_one_that_is_killed_when_it_has_answered_does_not_answer_again(journal: Journal, name: str) -> None:
    """Not even where a crash of the machine took back what was renamed."""
    asking(journal)
    (request,) = supervisor(journal).asked()
    journal.append([fired(request)])
    (left,) = files(journal)
    left.rename(left.with_suffix(name))
    assert supervisor(journal).asked() == []
    assert files(journal) == []


def test_a_request_is_either_withdrawn_or_answered(journal: Journal) -> None:
    """Whoever has its file first."""
    asks, answers = asking(journal), supervisor(journal)
    assert asks.withdraw()
    assert answers.asked() == []
    asks = asking(journal)
    assert len(answers.asked()) == 1
    assert not asks.withdraw()


def test_what_is_no_request_is_left_alone(journal: Journal) -> None:
    """Such as one that is being written."""
    asking(journal)
    for name in ("1-a.tmp", "1-b.json", "notes.txt"):
        (journal.path.parent / ".asked" / name).write_text("{")
    answers = supervisor(journal)
    assert [request.why for request in answers.asked()] == ["labels were mended"]

"""`trigger`, from the shell's side: the answers of a supervisor, and none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from run_of_events import run_started

from shared.errors import ConfigurationError, NotReadyError
from shared.ids import TriggerId
from supervisor.cli import trigger
from supervisor.cli.parser import parser
from supervisor.core.events import Declined, Observed
from supervisor.core.seen import Fired
from supervisor.run.by_hand import ByHand, Request
from supervisor.run.directory import RunDirectory
from supervisor.run.journal import Journal


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Journal]:
    """The journal of a run that has begun."""
    with closing(Journal(tmp_path / "journal.jsonl")) as journal:
        journal.append([run_started()])
        yield journal


def typed(run_dir: Path, *more: str) -> int:
    """The exit code."""
    return trigger.run(parser().parse_args(["trigger", str(run_dir), *more]))


def answering(run: Journal, refused: bool | None) -> threading.Thread:
    """Who works on the run, and answers one request: it fires, or has nothing to train on, or refuses."""
    RunDirectory(run.path.parent).lock.take()
    by_hand = ByHand(run.path.parent, run.path)

    def answer(request: Request) -> Observed | Declined:
        if refused is not None:
            return Declined(time_us=0, request=request.id, why=request.why, sentence="so it is", refused=refused)
        one = Fired(id=TriggerId(7), key=12_345, timestamp_us=0, reason=f"by hand: {request.why}", request=request.id)
        return Observed(time_us=0, key=12_345, event_time_us=0, triggers=(one,))

    def work() -> None:
        while not (requests := by_hand.asked()):
            pass
        run.append([answer(requests[0])])
        by_hand.answered(requests[0])

    thread = threading.Thread(target=work)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("refused", "code", "told"),
    [
        (None, 0, "Trigger 7 at key 12,345: by hand: labels were mended."),
        (False, 0, "No trigger: so it is."),
        (True, 3, "No trigger: so it is."),
    ],
)
def test_it_waits_for_the_answer(
    run: Journal, capsys: pytest.CaptureFixture[str], refused: bool | None, code: int, told: str
) -> None:
    """And says which trigger it is, or why there is none: that none is needed is no failure."""
    worker = answering(run, refused)
    assert typed(run.path.parent, " labels\nwere mended ", "--json") == code
    worker.join()
    content = json.loads(capsys.readouterr().out)
    assert (content["sentence"], content["trigger"]) == (told, 7 if refused is None else None)


def test_nobody_is_there_to_ask(run: Journal, tmp_path: Path) -> None:
    """A run that nobody works on keeps no request, and a folder without a run is a mistake; so is no reason."""
    with pytest.raises(NotReadyError, match=r"no supervisor is working on .* --resume"):
        typed(run.path.parent, "why")
    with pytest.raises(ConfigurationError, match="holds no run"):
        typed(tmp_path / "absent", "why")
    with pytest.raises(ConfigurationError, match="say in up to 400 characters why"):
        typed(run.path.parent, " \n")
    assert not (run.path.parent / ".asked").exists()

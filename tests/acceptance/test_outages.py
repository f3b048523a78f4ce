"""Redis goes away, in every phase of a run, for longer than a lease: the run waits, says so once, and goes on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from receiving import listening
from running import Running
from serving import Server
from undisturbed import SLOW_LEASE_S, assert_as_undisturbed, slow
from workplace import Workplace

from shared import names
from shared.ids import RunId
from supervisor.system.embedded_broker import find_broker

PHASES = [  # what is said when a phase begins
    "→ trigger 0",  # selections, and the first training
    "… trigger 1: epoch",
    "trained on",
    "model 2 committed",  # evaluations and decisions
]


@pytest.fixture(params=[True, False], ids=["remembers", "forgets"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Somebody else's Redis."""
    one = Server(tmp_path, remembers=request.param)
    yield one
    one.end()


def test_redis_is_away_in_every_phase(small: Workplace, undisturbed: Workplace, server: Server) -> None:
    """Killed again and again, it comes back with or without what it knew: nothing is lost, not a byte differs."""
    slow(small).config["broker"] = {"url": server.url}
    with Running.pipeline(small, "--experiment-mode") as run:
        server.await_key(names.setup_key(RunId("*")))
        server.be_away(1.2 * SLOW_LEASE_S)
        run.wait_for("the broker is away")
        run.wait_for("the broker is back")
        for phase in PHASES:
            run.wait_for(phase)
            server.be_away(1.2 * SLOW_LEASE_S)
            run.wait_for("the broker is back")
        assert run.wait() == 0
    assert_as_undisturbed(small.run_dir, undisturbed)
    assert small.summary()["faults"]["reconnects"] == len(PHASES) + 1
    assert sum("the broker is away" in line for line in run.said) == len(PHASES) + 1  # once for each time
    assert "worker is alive" not in "".join(run.said)
    assert "Traceback" not in "".join(run.said)


@pytest.mark.parametrize("server", [True], indirect=True)
def test_a_redis_that_answers_nobody_or_takes_nothing(small: Workplace, undisturbed: Workplace, server: Server) -> None:
    """Stopped with all connections open, and later full: an alert, once each, and everybody goes on afterwards."""
    slow(small).config["broker"] = {"url": server.url}
    small.pipeline["training"]["stall_after"] = "3s"
    with listening() as receiver:
        small.config["alerts"] = [{"kind": "webhook", "url": receiver.url}]
        with Running.pipeline(small, "--experiment-mode") as run:
            for phase, trouble in (("… trigger 1: epoch", server.silent), ("… trigger 2: epoch", server.full)):
                run.wait_for(phase)
                with trouble():
                    receiver.wait_for("run_stalled")
                run.wait_for("the broker is back")
            assert run.wait() == 0
    assert_as_undisturbed(small.run_dir, undisturbed)
    faults = small.summary()["faults"]
    assert (faults["reconnects"], faults["workers_lost"]) == (2, 0)
    assert "train is published again" not in "".join(run.said)
    assert sum("the broker is away" in alert["sentence"] for alert in receiver.heard) == 2  # once each
    assert receiver.events().count("run_stalled_over") == receiver.events().count("run_stalled")


@pytest.mark.parametrize("removed", ["folder", "socket"])
def test_a_cleaner_removes_the_embedded_broker_s_files(small: Workplace, undisturbed: Workplace, removed: str) -> None:
    """In mid-training: the broker is started again in its place, with what it knew if that is still there."""
    with Running.pipeline(slow(small), "--experiment-mode") as run:
        run.wait_for("… trigger 1: epoch")
        url = find_broker(str(small.folder / "runs"))
        assert url is not None
        socket = Path(url.removeprefix("redis+socket://"))
        shutil.rmtree(socket.parent) if removed == "folder" else socket.unlink()
        run.wait_for("its folder was removed; it was started again")
        assert run.wait() == 0
    said = "".join(run.said)
    assert ("Redis has forgotten the run" in said, "Traceback" in said) == (removed == "folder", False)
    assert_as_undisturbed(small.run_dir, undisturbed)
    assert small.summary()["faults"]["workers_lost"] == 0
    assert not socket.parent.exists()

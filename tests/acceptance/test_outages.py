"""Redis goes away, in every phase of a run, for longer than a lease: the run waits, says so once, and goes on."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from receiving import listening
from running import Running
from tests_support import SLOW_LEASE_S, Workplace, assert_as_undisturbed, slow

from shared.broker import connect
from supervisor.system.embedded_broker import server_program

PHASES = [  # what is said when a phase begins
    "→ trigger 0",  # selections, and the first training
    "… trigger 1: epoch",
    "trained on",
    "model 2 committed",  # evaluations and decisions
]


class Server:
    """A Redis that can go away and come back, with what it knew if it writes it down."""

    def __init__(self, folder: Path, *, remembers: bool) -> None:
        self.url = f"redis+socket://{folder}/r.sock"
        self._command = [server_program(), "--port", "0", "--unixsocket", f"{folder}/r.sock", "--save", ""]
        self._command += ["--dir", str(folder), "--appendonly", "yes" if remembers else "no"]
        self.process = self._start()

    def await_key(self, pattern: str) -> None:
        """Return as soon as a key is there."""
        with connect(self.url) as client:
            while not client.keys(pattern):
                pass

    def away(self) -> None:
        """Be killed, and start again after more than a lease."""
        self.end()
        time.sleep(1.2 * SLOW_LEASE_S)
        self.process = self._start()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Answer nobody, with every connection open."""
        self.process.send_signal(signal.SIGSTOP)
        yield
        self.process.send_signal(signal.SIGCONT)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Answer who reads, and refuse who writes."""
        with connect(self.url) as client:
            client.config_set("maxmemory", 1)
            yield
            client.config_set("maxmemory", 0)

    def end(self) -> None:
        """Be killed."""
        self.process.kill()
        self.process.wait()

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout as said:
            next(line for line in said if "eady to accept connections" in line)
        return process


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
        server.await_key("modyn:run:*:setup")
        server.away()
        run.wait_for("the broker is away; setting up goes on when it is back")
        run.wait_for("the broker is back")
        for phase in PHASES:
            run.wait_for(phase)
            server.away()
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
    assert "/train/0 is published again" not in "".join(run.said)
    assert sum("the broker is away" in alert["sentence"] for alert in receiver.heard) == 2  # once each
    assert receiver.events().count("run_stalled_over") == receiver.events().count("run_stalled")

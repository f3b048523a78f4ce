"""How a run ends where something is in the way: a name that is taken, a terminal that is closed, a last commit."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from running import Running
from undisturbed import slow
from workplace import PROJECT, Workplace, environment


@pytest.fixture(autouse=True)
def hears_of_its_terminal() -> Iterator[None]:
    """What is started here may be told of a closed terminal, also where the tests themselves run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def last_event(place: Workplace) -> dict[str, str]:
    """The last line of the journal."""
    line = (place.run_dir / "journal.jsonl").read_bytes().splitlines()[-1]
    return {key: str(value) for key, value in json.loads(line).items()}


def test_a_run_whose_last_commit_fails_journals_its_end(on_fleet: Workplace) -> None:
    """A folder has the name of a model: exit 1 and a sentence, also in the journal; moved away, the run goes on."""
    slow(on_fleet)
    with Running.pipeline(on_fleet, "--experiment-mode") as run:
        run.wait_for("model 0 committed")
        blocked = on_fleet.run_dir / "models/3/model.safetensors"
        (blocked / "somebody's").mkdir(parents=True)
        assert run.wait() == 1
    told = last_event(on_fleet)
    assert (told["event"], told["status"]) == ("ended", "failed")
    assert "is a folder; move it away" in told["reason"]
    assert [one.name for one in blocked.iterdir()] == ["somebody's"]
    assert on_fleet.summary()["status"] == "failed"
    blocked.rename(on_fleet.folder / "away")
    done = on_fleet.run("--resume")
    assert done.returncode == 0, done.stderr


def test_a_default_name_that_is_taken_is_followed_by_the_next(on_fleet: Workplace) -> None:
    """Another run was started in the same second, whichever that is."""
    on_fleet.write()
    folder, now = on_fleet.folder / "runs/small", datetime.now(UTC)
    for second in range(30):
        taken = folder / f"{now + timedelta(seconds=second):%Y-%m-%dT%H-%M-%SZ}"
        taken.mkdir(parents=True)
        (taken / "journal.jsonl").write_text("{}\n")
    done = on_fleet.tell("run", "pipeline.yaml", "config.yaml", "--experiment-mode", "--maximum-triggers", "1")
    assert done.returncode == 0, done.stderr
    (run,) = folder.glob("*-2")
    assert (run / "summary.json").exists()
    assert not list(folder.glob(".*"))


def test_a_closed_terminal_stops_a_run(on_fleet: Workplace) -> None:
    """As SIGTERM does: work is handed back and the summary written, though nothing can be said any more."""
    on_fleet.write()
    command = on_fleet.command("run", "pipeline.yaml", "config.yaml", "--run-dir", str(on_fleet.run_dir))
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, cwd=on_fleet.folder, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    ) as run:  # fmt: skip
        os.close(theirs)
        said = b""
        while b"deployed" not in said:  # numbers are coloured
            said += os.read(ours, 4096)
        os.close(ours)
        assert run.wait(timeout=100) == 0
    assert (last_event(on_fleet)["status"], on_fleet.summary()["status"]) == ("stopped", "stopped")


def test_under_nohup_a_closed_terminal_is_nothing(on_fleet: Workplace) -> None:
    """The signal was ignored at the start, and stays so."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = Running.pipeline(on_fleet)
    finally:
        signal.signal(signal.SIGHUP, before)
    with run:
        run.wait_for("model 0 committed")
        run.process.send_signal(signal.SIGHUP)
        run.wait_for("model 3 deployed")
        assert run.end() == 0
    assert not [line for line in run.said if "SIGHUP" in line]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_stops_a_run(on_fleet: Workplace, number: signal.Signals) -> None:
    """Cleanly, and the log says which it was."""
    with Running.pipeline(on_fleet) as run:
        run.wait_for("model 0 committed")
        run.process.send_signal(number)
        run.wait_for(f"stopping ({number.name})")
        assert run.wait() == 0
    assert last_event(on_fleet)["status"] == "stopped"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_still_loads_is_a_clean_end(small: Workplace, number: signal.Signals) -> None:
    """One sentence, nothing made, and no traceback of what it was loading."""
    small.write()
    files = (str(small.folder / "pipeline.yaml"), str(small.folder / "config.yaml"))
    command = small.command("run", *files, "--run-dir", str(small.run_dir), "--experiment-mode")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=PROJECT, env=environment()) as run:
        while not catches(run.pid, number):
            assert run.poll() is None
        run.send_signal(number)
        assert run.stderr is not None
        said = run.stderr.read()
    assert (run.returncode, "nothing was changed" in said, "Traceback" in said) == (0, True, False), said
    assert not small.run_dir.exists()


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has its own answer to a signal, and not Python's to Ctrl+C, which it has from its start."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")), 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1 and caught >> (number - 1) & 1)

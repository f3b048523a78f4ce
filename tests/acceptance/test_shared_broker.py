"""Two supervisors on one embedded broker: the one that started it goes, and the other goes on."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from left_behind import assert_nothing_runs
from running import Running
from workplace import Workplace

COMPARED = ["evaluations.csv", *(f"models/{trigger}/model.safetensors" for trigger in range(2))]
TRIGGERS = ("--experiment-mode", "--maximum-triggers", "2")


@pytest.fixture(autouse=True)
def _named(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a command starts can be told by the test's folder in its environment."""
    monkeypatch.setenv("MODYN_TEST_FOLDER", str(tmp_path))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A run that had its broker for itself."""
    workplace = waiting(Workplace.small(tmp_path_factory.mktemp("undisturbed")))
    hurry(workplace)
    done = workplace.run(*TRIGGERS)
    assert done.returncode == 0, done.stderr
    return workplace


def waiting(workplace: Workplace) -> Workplace:
    """Trainings that take ten seconds, unless they are told to hurry; nothing is deployed."""
    (workplace.folder / "unhurried.py").write_text(_MODEL)
    workplace.pipeline["model"] = {"id": "unhurried:Net"}
    workplace.pipeline["training"] |= {"epochs": 10, "batch_size": 8, "checkpoint_every_s": 0.1}
    workplace.config |= {"trusted_modules": ["unhurried"], "lease": "2s"}
    del workplace.pipeline["deployment"]
    return workplace


def hurry(workplace: Workplace) -> None:
    """From now on trainings take no longer than they must."""
    (workplace.folder / "hurry").touch()


@contextmanager
def owner_and_guest(workplace: Workplace) -> Iterator[tuple[Running, Running]]:
    """A supervisor that started the broker and waits for new data, and one that uses it and is in mid-training."""
    idle = Workplace(workplace.folder, {**workplace.pipeline, "initial_mode": "ignore"}, workplace.config)
    with Running.pipeline(idle, run_dir="owner") as owner:
        owner.wait_for("is set up")
        with Running.pipeline(workplace, *TRIGGERS) as guest:
            guest.wait_for("… trigger 0")
            yield owner, guest


def pid_of_broker(workplace: Workplace) -> int:
    """The process that `.broker.json` names."""
    pid: int = json.loads((workplace.folder / "runs/.broker.json").read_text())["pid"]
    return pid


def broker(workplace: Workplace) -> psutil.Process:
    """The server that `.broker.json` names."""
    return psutil.Process(pid_of_broker(workplace))


def folder_of_broker(workplace: Workplace) -> Path:
    """Where its socket lies, and what it writes down."""
    url = json.loads((workplace.folder / "runs/.broker.json").read_text())["url"]
    return Path(url.removeprefix("redis+socket://")).parent


def servers_of(workplace: Workplace) -> list[int]:
    """All that serve at the address that `.broker.json` gives."""
    folder = str(folder_of_broker(workplace))
    return [one.pid for one in psutil.process_iter(["cmdline"]) if folder in " ".join(one.info["cmdline"] or ())]


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "stopped"])
def test_the_owner_of_the_broker_goes_and_the_guest_goes_on(
    small: Workplace, undisturbed: Workplace, killed: bool
) -> None:
    """The guest starts its own broker in the same place and ends well, to the byte as if it had been alone."""
    with owner_and_guest(waiting(small)) as (owner, guest):
        server = broker(small)
        assert server.ppid() == owner.process.pid
        assert owner.end(signal.SIGKILL if killed else signal.SIGINT) == (-signal.SIGKILL if killed else 0)
        guest.wait_for("whose broker this was has ended; started one in its place")
        assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
        assert broker(small).ppid() == guest.process.pid
        hurry(small)
        assert small.tell("fleet", "config.yaml").returncode == 0
        assert guest.wait() == 0
    assert small.summary()["status"] == "finished"
    assert small.summary()["faults"]["reconnects"] >= 1
    for file in COMPARED:
        assert (small.run_dir / file).read_bytes() == (undisturbed.run_dir / file).read_bytes(), file
    assert_nothing_runs(small)


@pytest.mark.parametrize("cleaned", [False, True], ids=["killed", "folder removed"])
def test_the_broker_dies_and_one_of_both_starts_it_again(
    small: Workplace, undisturbed: Workplace, cleaned: bool
) -> None:
    """kill -9 of the server, or its folder in /tmp is removed, while both use it: there is one server, and both go on.

    Again and again; without its folder it has forgotten both runs.
    """
    with owner_and_guest(waiting(small)) as (owner, guest):
        for _ in range(3):
            server = broker(small)
            if cleaned:
                shutil.rmtree(folder_of_broker(small))
            else:
                server.kill()
            while pid_of_broker(small) == server.pid:  # whoever of both finds it dead first says where the new one is
                assert (owner.process.poll(), guest.process.poll()) == (None, None), [*owner.said, *guest.said]
            assert servers_of(small) == [pid_of_broker(small)]
        hurry(small)
        assert guest.wait() == 0
        assert owner.end() == 0
    for file in COMPARED:
        assert (small.run_dir / file).read_bytes() == (undisturbed.run_dir / file).read_bytes(), file
    assert_nothing_runs(small)


_MODEL = """
import time
from pathlib import Path

from torch import nn

HURRY = Path(__file__).with_name("hurry")


class Net(nn.Module):
    def __init__(self, in_features):
        super().__init__()
        self.line = nn.Linear(in_features, 2)

    def forward(self, x):
        if self.training and not HURRY.exists():
            time.sleep(0.02)
        return self.line(x)
"""

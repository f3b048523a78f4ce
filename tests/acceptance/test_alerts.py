"""Alerts: what a webhook hears of a run that needs a look, and that the run never waits for it."""

from __future__ import annotations

import copy
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil
import pytest
from receiving import Receiver, listening
from running import Running, workers
from workplace import Workplace

from shared.broker import connect


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that listens."""
    with listening() as one:
        yield one


class Fleet:
    """Workers that were started by hand, one of each role, for the tests here to share."""

    def __init__(self, workplace: Workplace, stack: ExitStack) -> None:
        self.workplace = workplace
        self._stack = stack
        self._newest: dict[str, Running] = {}

    def start(self, *roles: str) -> None:
        """Start a worker of each."""
        self._newest |= zip(roles, self._stack.enter_context(workers(self.workplace, *roles)), strict=True)

    def kill(self, role: str) -> None:
        """kill -9 the worker with its child, as the death of its machine would."""
        main = psutil.Process(self._newest[role].process.pid)
        for process in [main, *main.children()]:
            process.kill()
        self._newest[role].wait()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Fleet]:
    """A workplace on the test's Redis, and its two workers."""
    workplace = Workplace.small(tmp_path_factory.mktemp("alerts"))
    (workplace.folder / "breaking.py").write_text(_BREAKING)
    workplace.config |= {"broker": {"url": redis_url}, "fleet": {"train": 0, "evaluate": 0}, "lease": "1s"}
    workplace.config |= {"trusted_modules": ["breaking"]}
    workplace.write()
    with connect(redis_url) as client, ExitStack() as stack:
        client.flushall()
        one = Fleet(workplace, stack)
        one.start("train", "evaluate")
        yield one


@pytest.fixture
def told(fleet: Fleet, receiver: Receiver) -> Workplace:
    """The workplace, with a pipeline of the test's own; its runs tell the receiver."""
    config = {**fleet.workplace.config, "alerts": [{"kind": "webhook", "url": receiver.url}]}
    return Workplace(fleet.workplace.folder, copy.deepcopy(fleet.workplace.pipeline), config)


def break_once(workplace: Workplace) -> None:
    """Have the pipeline train a model whose first training raises, and no other."""
    workplace.pipeline["model"] = {"id": "breaking:Net"}
    (workplace.folder / "broke").unlink(missing_ok=True)


def assert_about(alert: dict[str, Any], workplace: Workplace, run_dir: str, *more: str) -> None:
    """The alert says which run it is about, in a sentence, and nothing else."""
    assert sorted(alert) == sorted(["event", "sentence", "time", "pipeline", "run_id", "run_dir", *more])
    run_id = workplace.summary(run_dir)["run_id"]
    told = (alert["pipeline"], alert["run_id"], alert["run_dir"])
    assert told == ("small", run_id, str(workplace.folder / run_dir))
    assert alert["time"].endswith("Z")
    assert ("Traceback" in alert["sentence"], alert["sentence"].count("\n")) == (False, 0), alert


def test_a_failed_trigger_is_told_and_nobody_waits_for_who_is_away(
    told: Workplace, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One receiver refuses, one is slow to answer: the run goes on meanwhile; no secret of a URL is shown."""
    monkeypatch.setenv("HOOK", "s3cret-hook")
    receiver.may_answer.clear()
    break_once(told)
    told.pipeline["training"]["on_failure"] = "continue"
    with nobody_listens() as refusing:
        urls = [f"{refusing}/${{HOOK}}", f"{receiver.url}/${{HOOK}}"]
        told.config["alerts"] = [{"kind": "webhook", "url": url} for url in urls]
        with Running.pipeline(told, "--experiment-mode", "--maximum-triggers", "3", run_dir="continues") as run:
            run.wait_for("model 2 committed")
            missed = [line for line in run.said if "did not reach" in line]
            receiver.may_answer.set()
            assert run.wait() == 0
    assert [refusing in line for line in missed] == [True], missed  # the slow one was still being waited for
    assert [failed["id"] for failed in told.summary("continues")["failed_triggers"]] == [0]
    assert (receiver.events(), receiver.paths) == (["trigger_failed"], ["/hook/s3cret-hook"])
    (alert,) = receiver.heard
    assert_about(alert, told, "continues", "trigger")
    assert (alert["trigger"], "it broke" in alert["sentence"]) == (0, True), alert
    kept = [(told.folder / "continues" / name).read_text() for name in ("config.yaml", "run.log", "journal.jsonl")]
    assert [text for text in ("".join(run.said), *kept) if "s3cret-hook" in text] == []


def test_a_failed_run_is_told(told: Workplace, receiver: Receiver) -> None:
    """A model that raises, under `on_failure: stop`: `trigger_failed` and `run_failed`, and exit 1."""
    break_once(told)
    done = told.run("--experiment-mode", run_dir="stops")
    assert done.returncode == 1, done.stderr
    assert receiver.events() == ["trigger_failed", "run_failed"]
    of_trigger, of_run = receiver.heard
    assert of_trigger.pop("trigger") == 0
    for alert in (of_trigger, of_run):
        assert_about(alert, told, "stops")
        assert ("trigger 0" in alert["sentence"], "it broke" in alert["sentence"]) == (True, True), alert


def test_a_fleet_that_is_gone_is_told_once(told: Workplace, receiver: Receiver, fleet: Fleet) -> None:
    """The only train worker is killed: `no_workers` and `run_stalled`, each once, and once that it is over."""
    told.pipeline["training"] |= {"epochs": 100, "batch_size": 16, "checkpoint_every_s": 0.1, "stall_after": "3s"}
    with Running.pipeline(told, "--experiment-mode", "--maximum-triggers", "1", run_dir="waits") as run:
        run.wait_for("… trigger 0")
        fleet.kill("train")
        gone = receiver.wait_for("no_workers")
        stalled = receiver.wait_for("run_stalled")
        fleet.start("train")  # while it starts, both conditions go on
        assert run.wait() == 0
    assert sorted(receiver.events()) == ["no_workers", "no_workers_over", "run_stalled", "run_stalled_over"]
    for alert in (gone, stalled):
        assert_about(alert, told, "waits")
    assert gone["sentence"] == "no train worker is alive; the run waits for one"
    assert "nothing was reported for 3 s, although" in stalled["sentence"]
    assert (told.summary("waits")["status"], told.summary("waits")["triggers"]) == ("finished", 1)


@contextmanager
def nobody_listens() -> Iterator[str]:
    """An address of this machine that refuses connections for as long as the test lasts."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


_BREAKING = """
from pathlib import Path

from torch import nn

BROKE = Path(__file__).with_name("broke")


class Net(nn.Module):
    def __init__(self, in_features):
        super().__init__()
        self.line = nn.Linear(in_features, 2)

    def forward(self, x):
        if self.training and len(x) > 8 and not BROKE.exists():  # the check shows it 8 rows
            BROKE.touch()
            raise ValueError("it broke")
        return self.line(x)
"""

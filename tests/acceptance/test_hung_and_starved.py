"""Work that hangs, or for which the memory or the device does not do; and a fleet that answers while all are busy."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
from running import Running, workers
from workplace import Workplace

from shared.broker import connect
from shared.fleet import WorkerEntry, read_fleet
from shared.ids import parts_of

_LOOK_EVERY_S = 0.02


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Workplace]:
    """A workplace with one worker of each role, started by hand and shared by the tests."""
    workplace = troubled(Workplace.small(tmp_path_factory.mktemp("cluster")), "Sound")
    workplace.config |= {"broker": {"url": redis_url}, "fleet": {"train": 0, "evaluate": 0}, "lease": "2s"}
    workplace.write()
    with connect(redis_url) as client:
        client.flushall()
    with workers(workplace, "evaluate", "train"):
        yield workplace


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What `fleet` answered while these workers were busy."""

    workers: list[WorkerEntry]
    as_json: subprocess.CompletedProcess[str]
    as_table: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def while_busy(cluster: Workplace) -> Answers:
    """Have both workers wait in the middle of their work, ask for the fleet, and let them go on."""
    place = troubled(cluster, "Waits")
    with Running.pipeline(place, "--experiment-mode", "--maximum-triggers", "2", run_dir="waits") as run:
        busy = busy_workers(place, run)
        as_json = place.tell("fleet", "config.yaml", "--json")
        as_table = place.tell("fleet", "config.yaml")
        (place.folder / "released").touch()
        assert run.wait() == 0
    return Answers(workers=busy, as_json=as_json, as_table=as_table)


def busy_workers(place: Workplace, run: Running) -> list[WorkerEntry]:
    """The evaluate and the train worker, once both wait in the middle of their work and the registry says so."""
    with connect(place.config["broker"]["url"]) as client:
        while True:
            assert run.process.poll() is None, run.said
            time.sleep(_LOOK_EVERY_S)
            fleet = read_fleet(client)
            waiting = [(place.folder / name).exists() for name in ("evaluating", "training")]
            evaluating, training = (parts_of(one.task) if one.task else None for one in fleet)
            if not all(waiting) or evaluating is None or training is None:
                continue
            if evaluating.stage in ("evaluate", "slices", "score") and training.trigger_id == 1:
                return fleet


def troubled(workplace: Workplace, model: str) -> Workplace:
    """The same place, with a pipeline of its own that trains one of the models below."""
    (workplace.folder / "troubled.py").write_text(_MODELS)
    pipeline = {**copy.deepcopy(workplace.pipeline), "model": {"id": f"troubled:{model}"}}
    return Workplace(workplace.folder, pipeline, {**workplace.config, "trusted_modules": ["troubled"]})


def failures(workplace: Workplace, run_dir: str) -> list[dict[str, Any]]:
    """Reports of failure in a run's journal."""
    lines = (workplace.folder / run_dir / "journal.jsonl").read_text().splitlines()
    reports = [json.loads(line).get("report", {}) for line in lines]
    return [report for report in reports if report.get("report") == "failed"]


def test_a_hung_child_is_ended_and_the_run_ends_as_if_it_had_not_hung(small: Workplace, cluster: Workplace) -> None:
    """After `stall_after` its process is ended, workers.log says over which task; once more, to the same bytes."""
    here = troubled(small, "HangsOnce")
    here.config["lease"] = "1s"
    reference = troubled(cluster, "HangsOnce")
    for place in (here, reference):
        place.pipeline["training"]["stall_after"] = "2s"
    done = here.run("--experiment-mode", "--maximum-triggers", "2")
    assert done.returncode == 0, done.stderr
    assert re.search("trigger 0: train is published again: train-0.* was lost", done.stderr), done.stderr
    (ended,) = [line for line in (here.run_dir / "workers.log").read_text().splitlines() if "process is ended" in line]
    assert (f"{here.summary()['run_id']}/0/train/0" in ended, "said nothing for 2 s" in ended) == (True, True), ended
    assert here.summary()["faults"] == {"republished": 1, "workers_lost": 0, "reconnects": 0}
    (reference.folder / "hung").touch()
    undisturbed = reference.run("--experiment-mode", "--maximum-triggers", "2", run_dir="undisturbed")
    assert undisturbed.returncode == 0, undisturbed.stderr
    for name in ("evaluations.csv", "models/0/model.safetensors", "models/1/model.safetensors"):
        assert (here.run_dir / name).read_bytes() == (reference.folder / "undisturbed" / name).read_bytes(), name


@pytest.mark.parametrize("model", ["DeviceIsFull", "AsksForTooMuch"])
def test_memory_that_runs_out_is_told_with_the_remedy(cluster: Workplace, model: str) -> None:
    """Exit 1 at the first attempt; memory and batch_size are in the sentence, the traceback in the journal alone."""
    sentence = sentence_of_failed_run(cluster, model)
    assert ("memory" in sentence.lower(), "batch_size" in sentence) == (True, True), sentence


def test_a_model_that_exits_is_told_as_one_that_raises(cluster: Workplace) -> None:
    """`sys.exit` in user code fails the trigger at once; it is no lost machine."""
    sentence = sentence_of_failed_run(cluster, "Exits")
    assert "train raised SystemExit" in sentence


def test_a_file_that_a_model_misses_is_the_models_failure(cluster: Workplace) -> None:
    """Under `on_failure: continue` its trigger fails and the next is trained: our disk and store are not to blame."""
    place = troubled(cluster, "MissesAFile")
    place.pipeline["training"]["on_failure"] = "continue"
    done = place.run("--experiment-mode", "--maximum-triggers", "2", run_dir="misses")
    assert (done.returncode, place.summary("misses")["status"]) == (0, "finished"), done.stderr
    (failed,) = place.summary("misses")["failed_triggers"]
    assert (failed["id"], "FileNotFoundError" in failed["reason"]) == (0, True), failed


def test_a_device_that_fails_is_told_as_such(cluster: Workplace) -> None:
    """The device is said to have failed, with its own words, and no later training gets that process any more."""
    before = train_child(cluster)
    sentence = sentence_of_failed_run(cluster, "DeviceFails", attempts=1)  # else another worker would try
    assert "CUDA error: device-side assert triggered" in sentence
    assert ("device failed" in sentence, "memory" in sentence) == (True, False), sentence
    sound = troubled(cluster, "Sound")
    assert sound.run("--experiment-mode", "--maximum-triggers", "1", run_dir="sound").returncode == 0
    assert train_child(cluster) != before


def train_child(cluster: Workplace) -> int:
    """The process that does the train worker's tasks."""
    with connect(cluster.config["broker"]["url"]) as client:
        (worker,) = [one for one in read_fleet(client) if one.role == "train"]
    children = psutil.Process(worker.pid).children()
    return next(child.pid for child in children if "--billiard-fork" in child.cmdline())


def sentence_of_failed_run(cluster: Workplace, model: str, **training: Any) -> str:
    """Run what cannot be trained; the one sentence in which the terminal, the summary and the journal say why."""
    place = troubled(cluster, model)
    place.pipeline["training"] |= training
    done = place.run("--experiment-mode", run_dir=model)
    assert (done.returncode, place.summary(model)["status"]) == (1, "failed"), done.stderr
    (report,) = [one for one in failures(place, model) if parts_of(one["task_id"]).stage == "train"]
    assert (report["attempt"], "in trouble" in report["traceback"]) == (1, True), report
    sentence: str = report["sentence"]
    assert sentence.count("\n") == 0, sentence
    assert f"trigger 0: train failed: {sentence}" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    return sentence


def test_fleet_answers_while_every_worker_is_busy(while_busy: Answers) -> None:
    """Both workers are in the middle of tasks that do not end before it has answered: with tasks and lease ages."""
    assert while_busy.as_json.returncode == 0, while_busy.as_json.stderr
    listed = json.loads(while_busy.as_json.stdout)
    assert [(one["role"], one["state"], one["task"]) for one in listed] == [
        (one.role, "busy", one.task) for one in while_busy.workers
    ]
    assert [(one["host"], one["device"], one["pid"]) for one in listed] == [
        (one.hostname.split("@")[1], "cpu", one.pid) for one in while_busy.workers
    ]
    assert [0 <= one["lease_age_s"] < 2 for one in listed] == [True, True]


def test_fleet_as_a_table_names_workers_and_tasks(while_busy: Answers) -> None:
    """The same as a table, piped: nothing is cut off."""
    assert while_busy.as_table.returncode == 0, while_busy.as_table.stderr
    told = [line.split("│")[1:-1] for line in while_busy.as_table.stdout.splitlines() if "│" in line]
    columns = ["".join(cell.strip() for cell in column) for column in zip(*told, strict=True)]
    for one in while_busy.workers:
        words = [one.hostname.split("@")[0], one.role, "busy", str(one.task)]
        assert [word for word in words if not any(word in column for column in columns)] == [], columns


_MODELS = """
import time
from pathlib import Path

import torch
from torch import nn

HERE = Path(__file__).parent


class Sound(nn.Module):
    def __init__(self, in_features):
        super().__init__()
        self.line = nn.Linear(in_features, 2)

    def forward(self, x):
        if len(x) > 8:  # the check shows it fewer rows
            self.trouble()
        return self.line(x)

    def trouble(self):
        pass


class HangsOnce(Sound):
    def trouble(self):
        if self.training and not (HERE / "hung").exists():
            (HERE / "hung").touch()
            time.sleep(3600)


class Exits(Sound):
    def trouble(self):
        raise SystemExit(3)


class MissesAFile(Sound):
    def trouble(self):
        if self.training and not (HERE / "missed").exists():
            (HERE / "missed").touch()
            (HERE / "nowhere").read_text()


class DeviceIsFull(Sound):
    def trouble(self):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1.00 GiB free.")


class AsksForTooMuch(Sound):
    def trouble(self):
        torch.empty(2**50)


class DeviceFails(Sound):
    def trouble(self):
        raise getattr(torch, "AcceleratorError", RuntimeError)(
            "CUDA error: device-side assert triggered\\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1"
        )


class Waits(Sound):
    '''The first training goes through; the next one, and every evaluation, wait until they are released.'''

    first = None

    def trouble(self):
        if self.training and self.first is None:
            self.first = not (HERE / "first").exists()
            (HERE / "first").touch()
        if self.training and self.first:
            return
        (HERE / ("training" if self.training else "evaluating")).touch()
        while not (HERE / "released").exists():
            time.sleep(0.01)
"""

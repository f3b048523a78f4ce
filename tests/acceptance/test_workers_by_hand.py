"""A fleet that somebody else started, on a Redis of one's own."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import time
from pathlib import Path

import pytest
import redis
from left_behind import assert_refused, processes_of, slots_of
from registry import worker_entry
from running import Running, await_workers, workers
from workplace import Workplace

from shared import names
from shared.broker import connect
from shared.fleet import deregister, read_fleet, register
from shared.ids import TaskId
from shared.messages.version import MESSAGE_VERSION

_LOOK_EVERY_S = 0.02


def test_a_run_on_workers_started_by_hand(cluster: Workplace, client: redis.Redis) -> None:
    """They set themselves up, do the work and go at SIGTERM; a busy one is not waited for; Redis is left clean."""
    busy = worker_entry("train-b", state="busy", task=TaskId("other/0/train/0"))
    with workers(cluster, "train", "evaluate") as started:
        register(client, busy)
        done = cluster.run("--experiment-mode", "--json")
        deregister(client, busy.worker)
        assert "train-b@host is busy with other/0/train/0; it sets itself up later" in done.stderr
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == cluster.summary()
        assert "train-" in next(line for line in done.stderr.splitlines() if "is set up" in line)
        run_id = cluster.summary()["run_id"]
        assert not client.exists(names.setup_key(run_id), names.reports_key(run_id), names.leases_key(run_id))
        assert not client.exists(names.progress_key(run_id))
        listed = cluster.tell("fleet", "config.yaml", "--json")
        assert [(one["role"], one["state"]) for one in json.loads(listed.stdout)] == [
            ("evaluate", "idle"),
            ("train", "idle"),
        ]
        assert [one.end(signal.SIGTERM) for one in started] == [0, 0]
    assert read_fleet(client) == []
    assert all(0 < client.ttl(queue) <= 30 for queue in client.keys("*@*.dq2"))  # a message to nobody expires


def test_ctrl_c_ends_an_idle_worker_cleanly(cluster: Workplace, client: redis.Redis) -> None:
    """Exit 0, as after SIGTERM."""
    with workers(cluster, "train") as (worker,):
        assert worker.end(signal.SIGINT) == 0
    assert read_fleet(client) == []


def test_a_worker_without_its_device_says_so_and_ends(cluster: Workplace, client: redis.Redis) -> None:
    """Exit 3, with the device, the host and a remedy; it never was in the fleet, and leaves nothing."""
    command = cluster.command("worker", str(cluster.folder / "config.yaml"), "--role", "evaluate", "--device", "cuda")
    with Running(command, CUDA_VISIBLE_DEVICES="") as worker:
        said = worker.wait_for("error: ")
        assert worker.wait() == 3
    assert ("device cuda is asked for" in said, socket.gethostname() in said, "Start a worker" in said) == (True,) * 3
    assert read_fleet(client) == []
    assert "Traceback" not in "".join(worker.said)
    assert processes_of(cluster.folder) == []


@pytest.mark.parametrize("removed", ["folder", "slot"])
def test_a_worker_whose_slot_is_removed_ends(cluster: Workplace, client: redis.Redis, removed: str) -> None:
    """As /dev/shm is cleaned when its user logs out: one sentence and exit 1, so that whoever starts it can do so."""
    with workers(cluster, "train") as (worker,):
        (folder,) = slots_of(worker.process.pid)
        shutil.rmtree(folder) if removed == "folder" else (folder / "slot").unlink()
        assert worker.wait() == 1
    errors = [line for line in worker.said if line.startswith("error: ")]
    assert [f"{folder}/slot, in which a worker keeps what it works on, was removed" in line for line in errors] == [
        True
    ]
    assert ("start it anew" in errors[0], "Traceback" in "".join(worker.said)) == (True, False)
    assert (read_fleet(client), folder.exists(), processes_of(cluster.folder)) == ([], False, [])


def test_a_fleet_without_its_device_is_refused_at_once(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor does not wait for workers of its own that cannot come: exit 3, why, and where their log is."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    small.config["fleet"] = {"train": 1, "evaluate": 1, "device": "cuda"}
    started_s = time.monotonic()
    done = small.run("--experiment-mode")
    assert time.monotonic() - started_s < 80.0  # it would wait for 90 s
    assert_refused(
        done, small, 3, "fleet: worker train-0-", "ended while starting (exit code 3): device cuda is asked for"
    )
    log = Path(done.stderr.partition("what our workers said is in ")[2].partition(". ")[0].strip().removesuffix("."))
    assert "device cuda is asked for" in log.read_text()


def test_a_pipeline_for_gpus_is_not_checked_by_a_worker_without_one(cluster: Workplace, client: redis.Redis) -> None:
    """In a fleet of both kinds the check waits for the worker that can train, as the trainings would."""
    cluster.pipeline["training"]["device"] = "cuda"
    versions = {"messages": str(MESSAGE_VERSION)}
    other = TaskId("another/0/train/0")
    register(client, worker_entry("train-gpu", state="busy", task=other, device="cuda:0", versions=versions))
    with workers(cluster, "train", "evaluate"), Running.pipeline(cluster, "--experiment-mode") as run:
        run.wait_for("is set up on cpu")  # and would have checked before
        assert (client.llen(names.queue("train", "cuda")), client.llen(names.queue("train"))) == (1, 0)
        assert run.end() == 0, run.said


def test_a_worker_that_joins_later_sets_itself_up(cluster: Workplace, client: redis.Redis) -> None:
    """A worker that starts in mid-run takes tasks, after it has read the run's setup."""
    cluster.pipeline["initial_mode"] = "replay"
    with workers(cluster, "train", "evaluate") as first, Running.pipeline(cluster) as run:
        run.wait_for("model 3 deployed")
        assert first[0].end(signal.SIGTERM) == 0
        with workers(cluster, "train"):
            cluster.add_file(2)
            run.wait_for("is set up on cpu")
            run.wait_for("model 5 deployed")
            assert run.end() == 0


def test_a_run_without_train_workers_is_refused(cluster: Workplace) -> None:
    """Exit 3, with how many there are and how to start one."""
    with workers(cluster, "evaluate"):
        done = cluster.run("--experiment-mode")
    assert_refused(done, cluster, 3, "0 train workers are alive, 1 needed", "worker CONFIG --role train")
    assert "waiting up to 30 s: fleet: 0 train workers" in done.stderr


@pytest.mark.parametrize("late", [False, True], ids=["at once", "when the training is over"])
def test_a_killed_supervisor_finds_its_training_again(on_fleet: Workplace, fleet_url: str, late: bool) -> None:
    """kill -9 of the supervisor: its training goes on; --resume takes that over, or its report, and repeats nothing."""
    on_fleet.pipeline["training"] |= {"epochs": 300 if late else 1200, "batch_size": 16}
    with connect(fleet_url) as client:
        with Running.pipeline(on_fleet, "--experiment-mode", "--maximum-triggers", "1") as run:
            run.wait_for("… trigger 0: epoch")
            while not any(worker.role == "train" and worker.state == "busy" for worker in read_fleet(client)):
                time.sleep(_LOOK_EVERY_S)
            run.process.kill()
            run.wait()
        while late and any(worker.state != "idle" for worker in read_fleet(client)):
            time.sleep(_LOOK_EVERY_S)
        done = on_fleet.run("--resume")
        assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in (on_fleet.run_dir / "journal.jsonl").read_text().splitlines()]
    told = [
        event["report"]["report"]
        for event in events
        if event.get("report", {}).get("task_id", "").endswith("/0/train/0")
    ]
    assert told == ["claimed", "trained"]
    adopted = next(event["adopted"] for event in events if event["event"] == "resumed")
    assert [task.split("/", 1)[1] for task in adopted if "train" in task] == ([] if late else ["0/train/0"])


def test_a_stopped_run_is_handed_back(on_fleet: Workplace, fleet_url: str) -> None:
    """Ctrl+C in mid-training: the worker checkpoints and is free again; --resume goes on from the checkpoint."""
    on_fleet.pipeline["training"] |= {"epochs": 3000, "batch_size": 16, "checkpoint_every_s": 3600}
    with connect(fleet_url) as client:
        with Running.pipeline(on_fleet, "--experiment-mode", "--maximum-triggers", "1") as run:
            run.wait_for("… trigger 0: epoch")
            assert run.end(signal.SIGINT) == 0
        while any(worker.state != "idle" for worker in read_fleet(client)):
            time.sleep(_LOOK_EVERY_S)
        assert on_fleet.summary()["status"] == "stopped"
        checkpoints = [file.name for file in (on_fleet.run_dir / "checkpoints/0/0").iterdir()]
        with Running.pipeline(on_fleet, "--resume") as run:
            said = run.wait_for("… trigger 0: epoch")
            assert run.end(signal.SIGINT) == 0
    assert len(checkpoints) == 1
    epoch = int(checkpoints[0].split("-")[1])
    assert int(said.split("epoch ")[1].split()[0]) > epoch > 0


def test_a_worker_says_on_its_terminal_what_it_does(cluster: Workplace) -> None:
    """When it is ready, what it takes and what became of that, with its time in UTC; a quiet one says nothing."""
    config = str(cluster.folder / "config.yaml")
    quiet = cluster.command("worker", config, "--role", "evaluate", "--device", "cpu", "--quiet")
    with workers(cluster, "train") as (train,), Running(quiet) as evaluate:
        await_workers(cluster, evaluate)
        done = cluster.run("--experiment-mode", "--maximum-triggers", "1")
        assert done.returncode == 0, done.stderr
        assert [train.end(signal.SIGTERM), evaluate.end(signal.SIGTERM)] == [0, 0]
    told = [re.sub(r"\d\d:\d\d:\d\d |in [\d.]+ s$", "", line.rstrip()) for line in train.said]
    assert re.fullmatch(r"Worker train-\w+ takes train tasks from \S+\. Ctrl\+C lets it .*", told[0])
    assert re.fullmatch(r"worker train-\w+-cpu is ready: train tasks, on cpu", told[1])
    assert {"→ train 0 of small", "← train 0 of small is done "} <= set(told)
    assert evaluate.said == []

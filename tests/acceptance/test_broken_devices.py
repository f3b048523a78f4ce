"""A GPU that breaks: it costs an attempt, not a trigger, and its worker is benched before it eats the next one."""

from __future__ import annotations

import json
import signal
from contextlib import AbstractContextManager

import pytest
import redis
from receiving import listening
from registry import worker_entry
from running import Running, workers
from workplace import Workplace

from shared.config.load import load_configuration
from shared.errors import NotReadyError
from shared.fleet import register
from shared.messages.version import MESSAGE_VERSION
from supervisor.system.readiness import ready_workers


def test_a_worker_whose_device_breaks_twice_is_benched(cluster: Workplace, client: redis.Redis) -> None:
    """It takes nothing more, `fleet` and an alert say why; the run waits for a sound one, and ends well."""
    breaking(cluster)
    cluster.config["lease"] = "20s"  # a child is replaced meanwhile: its worker is there all the time
    cluster.write()
    with listening() as receiver, workers(cluster, "evaluate"), broken_worker(cluster) as (broken,):
        cluster.config["alerts"] = [{"kind": "webhook", "url": receiver.url}]
        with Running.pipeline(cluster, "--experiment-mode") as run:
            alert = receiver.wait_for("worker_benched")
            assert (alert["worker"].startswith("train-"), "uncorrectable ECC" in alert["sentence"]) == (True, True), (
                alert
            )
            assert "not benched" in receiver.wait_for("no_workers")["sentence"]
            listed = json.loads(cluster.tell("fleet", "config.yaml", "--json").stdout)
            table = cluster.tell("fleet", "config.yaml").stdout
            with workers(cluster, "train"):
                assert run.wait() == 0, run.said
        events = receiver.events()
        assert broken.end(signal.SIGTERM) == 0
    assert [(one["state"], "uncorrectable ECC" in (one["benched"] or "")) for one in listed] == [
        ("idle", False),
        ("benched", True),
    ]
    assert ("benched" in table, "start the worker anew" in table) == (True, True), table
    assert events.count("worker_benched") == 1
    summary = cluster.summary()
    assert (summary["status"], summary["triggers"], summary["faults"]["republished"]) == ("finished", 4, 2)
    claimed = [one["worker"] for one in reports(cluster) if one["report"] == "claimed"]
    trained = [one["worker"] for one in reports(cluster) if one["report"] == "trained"]
    failed = [one["worker"] for one in reports(cluster) if one["report"] == "failed"]
    assert (len(failed), len(set(failed)), len(trained)) == (2, 1, 4)
    assert failed[0] not in trained
    assert all(failed[0] != one for one in claimed[claimed.index(trained[0]) :])  # benched: nothing more


def test_a_check_on_a_broken_device_is_no_verdict(cluster: Workplace, client: redis.Redis) -> None:
    """Alone, its worker cannot begin the run: exit 3, the device is named. A sound one checks once more, and does."""
    breaking(cluster, rows=0)
    with workers(cluster, "evaluate"), broken_worker(cluster) as (broken,):
        alone = cluster.run("--experiment-mode")
        assert (alone.returncode, "uncorrectable ECC" in alone.stderr) == (3, True), alone.stderr
        with workers(cluster, "train"):
            done = cluster.run("--experiment-mode", "--maximum-triggers", "1")
        assert broken.end(signal.SIGTERM) == 0
    assert done.returncode == 0, done.stderr


def test_a_benched_worker_is_not_ready(small: Workplace, client: redis.Redis) -> None:
    """A supervisor that starts waits for another, and does not set this one up."""
    small.use_fleet("redis://nowhere").write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    versions = {"messages": str(MESSAGE_VERSION)}
    register(client, worker_entry("e", "evaluate", versions=versions))
    register(client, worker_entry("t", versions=versions, state="benched", benched="ECC"))
    with pytest.raises(NotReadyError, match="it was waited for"):
        ready_workers(client, configuration, lambda: "it was waited for", own=False)
    register(client, worker_entry("u", versions=versions))
    assert [worker.worker for worker in ready_workers(client, configuration, lambda: None, own=False)] == ["e", "u"]


def breaking(cluster: Workplace, rows: int = 8) -> None:
    """Have the pipeline train a model that breaks the device of a worker told so, on batches of more than `rows`."""
    (cluster.folder / "breaking_device.py").write_text(_MODEL.replace("ROWS", str(rows)))
    cluster.pipeline["model"] = {"id": "breaking_device:Net"}
    cluster.config["trusted_modules"] = ["breaking_device"]
    cluster.write()


def broken_worker(cluster: Workplace) -> AbstractContextManager[list[Running]]:
    """A train worker whose device fails whenever it is used."""
    return workers(cluster, "train", DEVICE_IS_BROKEN="1")


def reports(cluster: Workplace) -> list[dict[str, str]]:
    """All reports in the run's journal, in order."""
    lines = (cluster.run_dir / "journal.jsonl").read_text().splitlines()
    return [event["report"] for event in map(json.loads, lines) if event["event"] == "reported"]


_MODEL = """
import os

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, in_features):
        super().__init__()
        self.line = nn.Linear(in_features, 2)

    def forward(self, x):
        if os.environ.get("DEVICE_IS_BROKEN") and len(x) > ROWS:
            raise getattr(torch, "AcceleratorError", RuntimeError)("CUDA error: uncorrectable ECC error encountered")
        return self.line(x)
"""

"""The run on the fleet of compose.yaml, of which a train container is killed while it trains, and who looks at it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from engine import Engine, require, say
from watchers import flower_lists, prometheus_sees, require_closed

_FROM_TRIGGER = 6  # whose training takes some time: it learns from all rows so far
_PATIENCE_S = 900.0
_SERVICES = ("redis", "train", "evaluate", "supervisor", "prometheus", "flower")
_RUNNING = ("inspect", "--format", "{{.State.Running}}")


def run_on_fleet(engine: Engine) -> Path:
    """Have the run made, kill a container on the way, and give the run's directory."""
    engine.compose("up", "--detach", "--no-build", "--scale", "train=2", *_SERVICES)
    (supervisor,) = engine.containers("supervisor")
    trainers = engine.containers("train")
    workers = [*trainers, *engine.containers("evaluate")]
    _await(engine, supervisor, "Flower lists the workers", flower_lists(engine, workers))
    require_closed(engine)
    say("Flower lists the workers, and sends strangers away")
    _await(engine, supervisor, "Prometheus sees all of it up", prometheus_sees(engine, [supervisor, *workers]))
    say("Prometheus finds supervisor and workers, all of them are up, and it judges by our rules")
    _await(engine, supervisor, "some models are trained", lambda: _trained(engine.run_dir, _FROM_TRIGGER - 1))
    victim = _await(engine, supervisor, "a container trains", lambda: _at_a_training(engine.run_dir, trainers))
    engine.docker("kill", victim)
    say("killed a train container while it trained")
    _check(engine, supervisor)
    code = engine.docker("wait", supervisor).strip()
    require(code == "0", f"the supervisor ended with code {code}:\n{engine.docker('logs', supervisor)}")
    faults = json.loads((engine.run_dir / "summary.json").read_bytes())["faults"]
    require(faults["republished"] > 0, "no task was lost: the container had just reported; run this again.")
    say(f"the run on the fleet has ended; tasks published again: {faults['republished']}")
    for container in {one for service in _SERVICES for one in engine.containers(service)} - {victim, supervisor}:
        _check(engine, container)
    say("nobody is root, roots are read-only, healthchecks pass, and no secret is in sight")
    return engine.run_dir


def _await(engine: Engine, supervisor: str, what: str, ask: Callable[[], object]) -> str:
    """The first answer that says something. `what`: has happened then."""
    give_up_s = time.monotonic() + _PATIENCE_S
    while not (answer := ask()):
        going_on = time.monotonic() < give_up_s and engine.docker(*_RUNNING, supervisor).strip() == "true"
        require(going_on, f"it was not seen that {what}; the run says:\n{engine.docker('logs', supervisor)}")
    return str(answer)


def _reports(run_dir: Path) -> list[dict[str, object]]:
    """What the workers have reported of trainings, by the journal."""
    journal = run_dir / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True) if journal.exists() else []
    reports = [json.loads(line).get("report", {}) for line in lines if line.endswith(b"\n")]
    return [report for report in reports if "/train/" in report.get("task_id", "")]


def _trained(run_dir: Path, trigger: int) -> bool:
    """Whether the training of this trigger was reported."""
    done = [str(report["task_id"]).split("/") for report in _reports(run_dir) if report["report"] == "trained"]
    return any(int(task[1]) >= trigger for task in done)


def _at_a_training(run_dir: Path, trainers: list[str]) -> str:
    """A container that has claimed a training which is not over; empty if none has."""
    by_task: dict[str, str] = {}
    for report in _reports(run_dir):
        if report["report"] == "claimed":
            by_task[str(report["task_id"])] = str(report["worker"])
        else:
            by_task.pop(str(report["task_id"]), None)
    hosts = {worker.partition("@")[2].rpartition("-")[0] for worker in by_task.values()}
    return next((one for one in trainers if one[:12] in hosts), "")


def _check(engine: Engine, container: str) -> None:
    """Nobody in it is root, its root is read-only, its healthcheck passes, and nobody sees a secret from outside."""
    processes = engine.docker("top", container, "-eo", "uid,pid,args")
    told = engine.docker("inspect", container) + processes
    require(not any(secret in told for secret in engine.secrets), f"a secret can be seen from outside {container}.")
    users = {line.split()[0] for line in processes.splitlines()[1:]}
    require("0" not in users != set(), f"root is at work in {container}:\n{processes}")
    require('"ReadonlyRootfs": true' in told, f"{container} can write to its root.")
    check = json.loads(engine.docker("inspect", "--format", "{{json .Config.Healthcheck.Test}}", container))
    engine.docker("exec", container, *(("sh", "-c", check[1]) if check[0] == "CMD-SHELL" else check[1:]))

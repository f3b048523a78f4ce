"""What a disturbed run came to, beside the undisturbed one."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from shared.config.load import load_configuration
from supervisor.core.commands import CommitModel, CommitTrainingSet
from supervisor.core.events import Event, Observed, Reported, Resumed, event_of
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition

_RUN = "disk/run"
_COMPARED = ("evaluations.csv", "training_sets/*.parquet", "models/*/model.safetensors")


def verdict(scene: Path, undisturbed: Path) -> dict[str, Any]:
    """Lost triggers, duplicate commits, bodies that took effect twice, and files that differ."""
    run, reference = scene / _RUN, undisturbed / _RUN
    now, then = (json.loads((one / "summary.json").read_text()) for one in (run, reference))
    commits, bodies = _effects(scene)
    return {
        "status": now["status"],
        "lost_triggers": then["triggers"] - now["triggers"],
        "duplicate_commits": sum(count - 1 for count in commits.values()),
        "bodies_effective_twice": sum(count - 1 for count in bodies.values()),
        "differing_files": [
            *_differing(run, reference),
            *_differing_states(run, reference),
            *_differing_thoughts(run, reference),
            *_differing_decisions(now, then),
            *_differing_deployment(scene, undisturbed),
        ],
    }


def _effects(scene: Path) -> tuple[Counter[Any], Counter[Any]]:
    """How often each artifact was committed, and each chord's body had an effect: what the journal makes happen."""
    pipeline = load_configuration(scene / "pipeline.yaml", scene / "config.yaml", experiment_mode=True).pipeline
    state, commits, bodies = RunState(settings=Settings.of(pipeline)), Counter[Any](), Counter[Any]()
    for line in (scene / _RUN / "journal.jsonl").read_bytes().splitlines():
        event = event_of(line)
        before = state
        state, commands, *_ = transition(state, event)
        commits.update(
            (type(one).__name__, one.trigger_id) for one in commands if isinstance(one, CommitModel | CommitTrainingSet)
        )
        task_id = getattr(event.report, "task_id", None) if isinstance(event, Reported) else None
        if task_id in before.tasks and task_id not in state.tasks and before.tasks[task_id].is_body:
            bodies[task_id] += 1
    return commits, bodies


def _differing(run: Path, reference: Path) -> list[str]:
    names = {str(file.relative_to(one)) for one in (run, reference) for glob in _COMPARED for file in one.glob(glob)}
    return sorted(name for name in names if _bytes(run / name) != _bytes(reference / name))


def _differing_states(run: Path, reference: Path) -> list[str]:
    """What the strategy kept after the newest triggers. What a fault took is made anew only where it is needed."""
    lost = any(isinstance(one, Resumed) and one.lost_states for one in _events(run / "journal.jsonl"))
    names = {file.name for one in (run, reference) for file in (one / "selection_states").glob("[!.]*")}
    pairs = {name: [_bytes(one / "selection_states" / name) for one in (run, reference)] for name in names}
    return sorted(
        f"selection_states/{name}"
        for name, (now, then) in pairs.items()
        if now != then and not (lost and None in (now, then))
    )


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


def _differing_thoughts(run: Path, reference: Path) -> list[str]:
    """What the trigger policy asked, decided and remembers at the end."""
    now, then = (_thoughts(one / "journal.jsonl") for one in (run, reference))
    return ["journal.jsonl: questions, near misses and triggers"] if now != then else []


def _thoughts(journal: Path) -> list[Any]:
    """Each question, near miss and trigger, with its key and its reason, in order; then the policy's last state."""
    thoughts: list[Any] = []
    memory = None
    for event in _events(journal):
        if isinstance(event, Observed):
            thoughts += [*event.considered, *event.triggers, event.question]
            memory = event.policy or memory
    return [*(one for one in thoughts if one is not None), memory]


def _events(journal: Path) -> list[Event]:
    return [event_of(line) for line in journal.read_bytes().splitlines()]


def _differing_decisions(now: dict[str, Any], then: dict[str, Any]) -> list[str]:
    keys = ("deployed", "composite", "deployed_composite", "baselines", "samples_trained")
    return [f"summary.json: {key}" for key in keys if now[key] != then[key]]


def _differing_deployment(scene: Path, undisturbed: Path) -> list[str]:
    """What the target serves: the object that model.json names, and what that says of it."""
    targets = [one / _RUN / "deployed/deployed" for one in (scene, undisturbed)]
    served = [json.loads((one / "model.json").read_text()) for one in targets]
    bodies = [_bytes(one / model["object"]) for one, model in zip(targets, served, strict=True)]
    same = bodies[0] == bodies[1] is not None and served[0]["sha256"] == served[1]["sha256"]
    return [] if same else ["deployed"]

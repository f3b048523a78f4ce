"""Names that cross processes are in one place, and say what a task needs."""

from __future__ import annotations

import re

import msgspec
import pytest
from workplace import PROJECT

from shared import names
from shared.artifacts import ArtifactRef
from shared.ids import RunId, TriggerId
from shared.messages.tasks import AnyTask, CheckTask, DecideTask, Device, EvaluateTask, ModelRef, Stretch, TrainTask
from shared.names import Role

_NAME = re.compile(r"""["'](modyn:|MODYN_(?!TEST_))""")
_HOUSE = ("shared", "supervisor", "workers", "benchmarks", "tests")


def test_names_of_redis_keys_and_variables_stand_in_one_module() -> None:
    """Who renames one there has renamed it everywhere: nobody else spells one out, benchmarks and tests neither."""
    files = [file for folder in _HOUSE for file in (PROJECT / folder).rglob("*.py")]
    spelt = {str(file.relative_to(PROJECT)) for file in files if _NAME.search(file.read_text())}
    assert spelt - {"tests/unit/shared/test_names.py"} == {"shared/names.py"}


@pytest.mark.parametrize("version", [1, 2, 17])
def test_people_call_a_queue_the_same_in_every_version(version: int) -> None:
    """A dashboard outlasts a version of the messages, though workers of two versions serve queues of their own."""
    versioned = [names.queue(kind, device, version) for kind in ("train", "gate") for device in ("cpu", "cuda")]
    assert (versioned == ["train", "train.cuda", "gate", "gate.cuda"]) == (version == 1)
    assert [names.without_version(one) for one in versioned] == ["train", "train.cuda", "gate", "gate.cuda"]


def tasks_on(device: Device) -> dict[Role, list[AnyTask]]:
    """What needs that device, by who does it."""
    who = {"run_id": RunId("run"), "trigger_id": TriggerId(0), "setup_version": 1}
    ref = ArtifactRef(name="m", sha256="", size_bytes=0)
    model = ModelRef(trigger_id=TriggerId(0), object=ref)
    stretch = Stretch(window="next", slice="", first_key=0, last_key=1, after_us=None, event_time_us=None)
    scored = {"models": (model,), "stretches": (stretch,), "device": device}
    return {
        "train": [
            TrainTask(**who, member=0, training_set=ref, trigger_key=1, previous_model=None, device=device),
            CheckTask(**who, device=device),
            EvaluateTask(**who, **scored, gate=True),
        ],
        "evaluate": [
            EvaluateTask(**who, **scored),
            EvaluateTask(**who, **scored, gate=True),
            DecideTask(**who, candidate=model, gate=stretch, device=device, known={}),
        ],
    }


@pytest.mark.parametrize("role", names.ROLES)
def test_what_needs_a_gpu_goes_to_workers_that_have_one(role: Role) -> None:
    """Also the check of a pipeline and a decision, which may have to train or to score; the rest any worker takes."""
    with_gpu, without = names.queues_of(role, "cuda:1"), names.queues_of(role, "cpu")
    for task in tasks_on("cuda")[role]:
        assert (task.queue in with_gpu, task.queue in without) == (True, False), task
    for task in tasks_on("cpu")[role]:
        assert (task.queue in with_gpu, task.queue in without) == (True, True), task


def test_a_decision_without_a_gate_needs_no_device() -> None:
    """Nothing is scored for it."""
    decide = next(task for task in tasks_on("cuda")["evaluate"] if isinstance(task, DecideTask))
    assert msgspec.structs.replace(decide, gate=None).queue in names.queues_of("evaluate", "cpu")

"""What no journal names is removed, and nothing that one does."""

from __future__ import annotations

from pathlib import Path

from immutables import Map
from workplace import Workplace

from shared.config.load import load_configuration
from shared.ids import TriggerId
from supervisor.core.seen import Fired
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.trigger_state import Phase, TriggerState
from supervisor.run.act.cleanup import collect


def run_of(small: Workplace, *phases: Phase) -> RunState:
    """A run whose triggers have come so far."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    settings = Settings.of(load_configuration(*files, experiment_mode=True).pipeline)
    fired = [Fired(id=TriggerId(n), key=n, timestamp_us=n, reason="") for n in range(len(phases))]
    triggers = {n: TriggerState(fired=fired[n], first_key=n, phase=phase) for n, phase in enumerate(phases)}
    return RunState(settings=settings, triggers=Map(triggers))


def write(folder: Path, *names: str) -> None:
    """Files with something in them."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def left(folder: Path) -> list[str]:
    """The files that are there."""
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_attempts_of_what_is_committed_go(small: Workplace, tmp_path: Path) -> None:
    """A zombie's set and member, checkpoints, and half-written files; the named ones stay."""
    named = ["models/0/model.json", "models/0/model.safetensors", "training_sets/0.parquet"]
    run = tmp_path / "run"
    write(run, *named, "models/0/.member-0.1-a.safetensors", "models/0/.model.2-b.safetensors.1f.tmp")
    write(run, "training_sets/.0.2-a.parquet", "selection_states/.0.2-a.msgpack", "checkpoints/0/0/epoch-1.ckpt")
    collect(run, run_of(small, Phase.COMMITTED))
    assert left(run) == named


def test_what_somebody_may_still_work_on_stays(small: Workplace, tmp_path: Path) -> None:
    """A selection, a training and its checkpoint that are under way, and triggers nobody knows."""
    run = tmp_path / "run"
    names = ["checkpoints/0/0/epoch-1.ckpt", "models/0/.member-0.1-a.safetensors", "training_sets/.1.1-a.parquet"]
    write(run, *names, "models/7/.member-0.1-a.safetensors")
    collect(run, run_of(small, Phase.TRAINING, Phase.SELECTING))
    assert left(run) == sorted([*names, "models/7/.member-0.1-a.safetensors"])


def test_what_a_strategy_kept_goes_once_it_was_let_go_of(small: Workplace, tmp_path: Path) -> None:
    """A crash left it. What is being made anew stays, as does what is kept."""
    run = tmp_path / "run"
    names = ["selection_states/.1.2-a.msgpack", "selection_states/2.msgpack"]
    write(run, *names, "selection_states/0.msgpack")
    state = run_of(small, *[Phase.COMMITTED] * 3).with_trigger(0, state_gone=True)
    collect(run, state.with_trigger(1, state_gone=True, restoring=True))
    assert left(run) == names


def test_weights_that_were_let_go_go(small: Workplace, tmp_path: Path) -> None:
    """A crash between the decision and the removal left them; what says that there was a model stays."""
    run = tmp_path / "run"
    write(run, "models/0/model.json", "models/0/model.safetensors")
    state = run_of(small, Phase.COMMITTED).with_trigger(0, retired=True)
    collect(run, state)
    assert left(run) == ["models/0/model.json"]

"""What is told of a sweep while it goes on."""

from __future__ import annotations

import io
from argparse import Namespace
from pathlib import Path

import pytest
from rich.console import Console
from workplace import Workplace

from supervisor.cli.sweep_end import tell_end
from supervisor.cli.sweep_view import SweepView
from supervisor.sweep.combinations import combinations
from supervisor.sweep.outcome import Outcome
from supervisor.sweep.place import Place, Wanted
from supervisor.sweep.planned import planned
from supervisor.sweep.sweep import Sweep
from supervisor.sweep.values import swept


@pytest.fixture
def sweep(small: Workplace) -> Sweep:
    """Of two runs, which nobody starts."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    runs = planned(*files, combinations([swept("training.seed=1,2")]))
    return Sweep(runs, Place.at(small.folder / "sweep"), Wanted(set=()), files)


def test_a_line_tells_of_each_beginning_and_end(sweep: Sweep, caplog: pytest.LogCaptureFixture) -> None:
    """With the score, or with what went wrong and where to read more."""
    caplog.set_level("INFO")
    one, two = sweep.unfinished
    view = SweepView(None, sweep)
    view.begins(one, 1, resumed=False)
    view.begins(two, 2, resumed=True)
    names = [run.combination.name for run in (one, two)]
    finished = Outcome(name=names[0], run_dir=Path("a"), status="finished", score="accuracy 0.7012")
    view.ended(one, finished, 41.3)
    view.ended(two, Outcome(name=names[1], run_dir=Path("b"), status="failed", reason="loss is nan."), 1.0)
    assert caplog.messages == [
        "→ 1 of 2: training.seed=1 begins",
        "→ 2 of 2: training.seed=2 goes on",
        "← 1 of 2: training.seed=1 finished: accuracy 0.7012, 41 s",
        f"← 2 of 2: training.seed=2 failed: loss is nan. ({sweep.place.path}/logs/training.seed=2.log)",
    ]


def test_a_terminal_shows_how_far_each_run_is(sweep: Sweep, tmp_path: Path) -> None:
    """Also one that has not begun."""
    shown = io.StringIO()
    (tmp_path / "journal.jsonl").write_text(
        '{"event":"run_started","first_key":0,"stop_key":2000}\n'
        '{"event":"observed","key":999,"triggers":[{}]}\n'
        '{"event":"reported","report":{"report":"gathered"}}\n'
    )
    with SweepView(Console(file=shown, force_terminal=True, width=120), sweep) as view:
        view.turn({"training.seed=1": tmp_path, "evaluation.metrics=[f1]": tmp_path / "nothing"})
    told = shown.getvalue()
    assert "evaluation.metrics=[f1]" in told
    assert "training.seed=1" in told
    assert "1,000 of 2,000 rows · 1 triggers · 1 models" in told
    assert "is being prepared" in told


def test_the_command_that_goes_on_can_be_typed_as_it_stands(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the files are called."""
    files = {"pipeline": Path("my pipeline.yaml"), "config": Path("$config.yaml")}
    assert tell_end(sweep, Namespace(**files, json=False)) == 0
    assert "sweep 'my pipeline.yaml' '$config.yaml' --run-dir" in capsys.readouterr().out

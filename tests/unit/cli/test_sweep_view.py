"""What is told of a sweep while it goes on."""

from __future__ import annotations

import io
from argparse import Namespace
from pathlib import Path

import pytest
from rich.console import Console

from supervisor.cli.side_by_side import how_many
from supervisor.cli.sweep_end import tell_end
from supervisor.cli.sweep_view import SweepView
from supervisor.sweep.outcome import Outcome
from supervisor.sweep.sweep import Sweep


def test_a_line_tells_of_each_beginning_and_end(sweep: Sweep, caplog: pytest.LogCaptureFixture) -> None:
    """With the score, or with what went wrong and where to read more."""
    caplog.set_level("INFO")
    one, two = sweep.unfinished
    view = SweepView(None, sweep)
    view.begins(one, 1, resumed=False)
    view.begins(two, 2, resumed=True)
    names = [run.name for run in (one, two)]
    finished = Outcome(name=names[0], run_dir=Path("a"), status="finished", score="accuracy 0.7012")
    view.ended(one, finished, 41.3)
    view.ended(two, Outcome(name=names[1], run_dir=Path("b"), status="failed", reason="loss is nan."), 1.0)
    assert caplog.messages == [
        "→ 1 of 2: training.seed=1 begins",
        "→ 2 of 2: training.seed=2 goes on",
        "← 1 of 2: training.seed=1 finished: accuracy 0.7012, 41 s",
        f"← 2 of 2: training.seed=2 failed: loss is nan. ({sweep.place.path}/logs/training.seed=2.log)",
    ]


def test_how_many_runs_there_are_at_a_time() -> None:
    """In words that go with the number."""
    told = [how_many(*one) for one in ((1, 4), (2, 4), (9, 4))]
    assert told == ["1 run", "2 runs side by side", "9 runs, 4 at a time"]


def _begun(folder: Path) -> None:
    """The journal of a run that is on its way."""
    (folder / "journal.jsonl").write_text(
        '{"event":"run_started","time_us":1,"mode":"experiment","first_key":0,"stop_key":2000}\n'
        '{"event":"observed","time_us":2,"key":999,"triggers":[{}]}\n'
        '{"event":"reported","time_us":3,"report":{"report":"gathered"}}\n'
    )


def test_without_a_terminal_lines_tell_how_far_each_run_is(
    sweep: Sweep, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Now and then: a sweep may be piped to a file, and take hours."""
    caplog.set_level("INFO")
    _begun(tmp_path)
    one, _ = sweep.unfinished
    for every_s, told in ((60.0, []), (0.0, ["… 1 of 2: training.seed=1: 1,000 of 2,000 rows · 1 trigger · 1 model"])):
        view = SweepView(None, sweep, tell_every_s=every_s)
        view.begins(one, 1, resumed=False)
        caplog.clear()
        view.turn({one.name: tmp_path})
        assert caplog.messages == told


def test_a_terminal_shows_how_far_each_run_is(sweep: Sweep, tmp_path: Path) -> None:
    """By its title, which is no markup; also one that has not begun."""
    shown = io.StringIO()
    _begun(tmp_path)
    one, two = sweep.runs
    sweep.runs = one, two._replace(title="evaluation.metrics=[f1]")
    with SweepView(Console(file=shown, force_terminal=True, width=120), sweep) as view:
        view.turn({one.name: tmp_path, two.name: tmp_path / "nothing"})
    told = shown.getvalue()
    assert "evaluation.metrics=[f1]" in told
    assert "training.seed=1" in told
    assert "1,000 of 2,000 rows · 1 trigger · 1 model" in told
    assert "is being prepared" in told


def test_the_command_that_goes_on_can_be_typed_as_it_stands(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the files are called."""
    files = {"pipeline": Path("my pipeline.yaml"), "config": Path("$config.yaml")}
    assert tell_end(sweep, Namespace(**files, json=False)) == 0
    assert "sweep 'my pipeline.yaml' '$config.yaml' --run-dir" in capsys.readouterr().out

"""What a sweep says at its end."""

from __future__ import annotations

import argparse
import json

import pytest

from supervisor.cli.sweep_end import tell_end
from supervisor.sweep.outcome import outcome
from supervisor.sweep.sweep import Sweep


def test_a_sweep_without_a_score_is_one_json_object_all_the_same(
    sweep: Sweep, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is compared; what failed, what has not begun and how to go on is said beside it."""
    first = sweep.unfinished[0].name
    sweep.outcomes[first] = outcome(first, sweep.place.path / first, {}, 1, "error: loss is nan.")
    options = argparse.Namespace(json=True, sort=None, plot=None, pipeline="pipeline.yaml", config="config.yaml")
    assert tell_end(sweep, options) == 1
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["runs"], [one["reason"] for one in told["left_out"]]) == ([], ["loss is nan."])
    assert "left out: 1 run that has not begun" in said.err
    assert "--resume" in said.err

"""The command that goes on with a back-test."""

from __future__ import annotations

from pathlib import Path

from supervisor.cli.backtest import how_to_go_on
from supervisor.cli.parser import parser


def test_it_has_all_that_was_typed_but_what_the_folder_knows() -> None:
    """So that it asks for the same; and can be typed as it stands."""
    files = ["backtest", "my pipeline.yaml", "config.yaml", "policies.yaml"]
    bare = "go on with: ./modyn-supervisor backtest 'my pipeline.yaml' config.yaml policies.yaml --run-dir bt --resume"
    assert how_to_go_on(Path("bt"), parser().parse_args([*files, "--set", "training.seed=3"])) == bare
    judged = [
        "--metric",
        "mae",
        "--at-most",
        "4",
        "--tune",
        "--tune-until",
        "2013-05-01T00:00:00Z",
        "--write",
        "p.yaml",
    ]
    typed = parser().parse_args([*files, "--run-dir", "bt", *judged])
    assert how_to_go_on(Path("bt"), typed) == f"{bare} {' '.join(judged)}"

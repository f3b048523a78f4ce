"""Options that do not go together, or have values that they cannot have."""

from __future__ import annotations

import importlib

import pytest
from workplace import Workplace

from shared.errors import ConfigurationError
from supervisor.cli.parser import parser

BACKTEST = ["backtest", "pipeline.yaml", "config.yaml", "POLICIES.yaml"]
SWEEP = ["sweep", "pipeline.yaml", "config.yaml"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (SWEEP, "a sweep needs --set"),
        ([*SWEEP, "--set", "training.seed=1,2", "--parallel", "0"], "--parallel 0 is not a whole number"),
        ([*SWEEP, "--resume"], "--resume needs --run-dir DIR"),
        ([*SWEEP, "--resume", "--run-dir", "absent"], "holds no sweep"),
        ([*SWEEP, "--set", "training.seed=1,2", "--plot", "scores.pdf"], r"\.svg or \.png"),
        ([*SWEEP, "--set", "fleet.train=1,2"], r"fleet is a key of config\.yaml"),
        ([*BACKTEST], r"POLICIES\.yaml: there is no such file"),
        ([*BACKTEST, "--tune-until", "1970-02-01T00:00:00Z"], "--tune-until goes with --tune"),
        ([*BACKTEST, "--tune", "--tune-until", "soon"], "--tune-until soon is not a time"),
        ([*BACKTEST, "--runs", "sweep", "--run-dir", "b"], "--run-dir is about runs that train models"),
        ([*BACKTEST, "--runs", "sweep", "--resume", "--run-dir", "b"], "--run-dir is about runs that train models"),
        ([*BACKTEST, "--at-most", "0"], "--at-most 0 is not a whole number of at least 1"),
        ([*BACKTEST, "--parallel", "0"], "--parallel 0 is not a whole number"),
        ([*BACKTEST, "--resume"], "--resume needs --run-dir DIR, the folder of the back-test"),
        ([*BACKTEST, "--resume", "--run-dir", "absent"], "holds no back-test"),
        ([*BACKTEST, "--resume", "--run-dir", "."], "holds no back-test"),
        ([*SWEEP, "--set", "training.seed=1,2", "--run-dir", "./"], "is not empty"),
        ([*BACKTEST, "--plot", "p.pdf"], r"\.svg or \.png"),
        ([*BACKTEST, "--plot", "p.svg", "--write", "./p.svg"], "--plot and --write both name p.svg"),
        ([*BACKTEST, "--write", "pipeline.yaml"], "would replace a file that this back-test reads"),
        (["compare", "runs", "--windows"], "--windows: is for --csv"),
        (["compare", "runs", "--plot", "scores.pdf"], r"\.svg or \.png"),
    ],
)
def test_it_is_told_before_anything_is_read_or_begun(
    small: Workplace, monkeypatch: pytest.MonkeyPatch, typed: list[str], told: str
) -> None:
    """In a sentence with the option; no folder is made."""
    small.write()
    monkeypatch.chdir(small.folder)
    before = sorted(small.folder.rglob("*"))
    options = parser().parse_args(typed)
    with pytest.raises(ConfigurationError, match=told):
        importlib.import_module(f"supervisor.cli.{options.command}").run(options)
    assert sorted(small.folder.rglob("*")) == before


def test_what_a_back_test_is_of_is_not_written_over(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or nobody could go on with it."""
    small.write()
    monkeypatch.chdir(small.folder)
    (small.folder / "b").mkdir()
    (small.folder / "b" / "backtest.json").write_text("{}")
    options = parser().parse_args([*BACKTEST, "--run-dir", "b", "--resume", "--write", "b/backtest.json"])
    with pytest.raises(ConfigurationError, match="would replace a file that this back-test reads"):
        importlib.import_module("supervisor.cli.backtest").run(options)


def test_a_grid_of_no_use_is_told_before_anything_is_started(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what the rows hold: no fleet, and no folder."""
    small.pipeline["training"]["use_previous_model"] = False
    small.pipeline["strategy"] = {"name": "all_data"}
    small.write()
    (small.folder / "POLICIES.yaml").write_text("grid: {every: 2000}\npolicies: {weekly: {policy: time, every: 7d}}\n")
    monkeypatch.chdir(small.folder)
    before = sorted(small.folder.rglob("*"))
    with pytest.raises(ConfigurationError, match=r"^POLICIES\.yaml:1: grid\.every: 2000 leaves no row behind"):
        importlib.import_module("supervisor.cli.backtest").run(parser().parse_args([*BACKTEST, "--run-dir", "b"]))
    assert sorted(small.folder.rglob("*")) == before

"""All runs of a sweep are checked before one begins."""

from __future__ import annotations

import pytest
from workplace import Workplace

from shared.errors import ConfigurationError
from supervisor.sweep.combinations import combinations
from supervisor.sweep.planned import Planned, planned, refuse_unmeasured
from supervisor.sweep.values import swept


def plan(small: Workplace, *typed: str) -> list[Planned]:
    """The runs of these settings."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    return planned(*files, combinations([swept(one) for one in typed]))


def test_each_run_has_its_own_settings(small: Workplace) -> None:
    """And all else from the file."""
    runs = plan(small, "trigger.every=250,500", "training.seed=1,2")
    pipelines = [one.configuration.pipeline for one in runs]
    settled = [(one.trigger.options["every"], one.training.seed) for one in pipelines]
    assert settled == [(250, 1), (250, 2), (500, 1), (500, 2)]


def test_what_is_wrong_names_a_combination(small: Workplace) -> None:
    """A mistake of the file, which all have, is told once and names none."""
    with pytest.raises(ConfigurationError) as caught:
        plan(small, "trigger.every=250,x", "training.seed=1,2")
    assert caught.value.problems == (
        "--set trigger.every=x: trigger.every: 'x' is not a whole number of at least 1. "
        "(trigger.every=x,training.seed=1 and 1 more)",
    )
    small.pipeline["strategy"] = {"name": "nwe_data"}
    with pytest.raises(ConfigurationError) as caught:
        plan(small, "training.seed=1,2")
    assert [problem.count("training.seed") for problem in caught.value.problems] == [0]


def test_runs_that_mean_the_same_are_refused(small: Workplace) -> None:
    """However they are written."""
    with pytest.raises(ConfigurationError, match=r"trigger\.every=1000 and trigger\.every=1_000 mean the same"):
        plan(small, "trigger.every=500,1000,1_000")


def test_runs_that_cannot_be_compared_are_refused(small: Workplace) -> None:
    """Of other datasets, or without a metric in common, or without that to sort by."""
    del small.pipeline["deployment"]
    small.config["storage"]["datasets"]["others"] = {"uri": "data/*.parquet"}
    with pytest.raises(ConfigurationError, match="runs on others and rows cannot be compared"):
        plan(small, "data.dataset=rows,others")
    small.config["storage"]["datasets"]["more"] = {"uri": "data/*.parquet"}
    with pytest.raises(ConfigurationError, match="runs on more, others and rows cannot be compared"):
        plan(small, "data.dataset=rows,others,more")
    with pytest.raises(ConfigurationError, match="the runs have none in common"):
        refuse_unmeasured(plan(small, "evaluation.metrics=[accuracy],[log_loss]"), None)
    runs = plan(small, "evaluation.metrics=[accuracy, f1],[accuracy]")
    refuse_unmeasured(runs, "accuracy")
    with pytest.raises(ConfigurationError, match=r"--sort f1: evaluation\.metrics=\[accuracy\] does not measure it"):
        refuse_unmeasured(runs, "f1")

"""Runs whose labels come late, in one process, are what a short reference makes of them."""

from __future__ import annotations

import random

import pytest
from late_stories import LateStory
from late_verdict import assert_as_reference
from one_process import OneProcess
from workplace import Workplace

SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_replay_is_the_reference_to_the_row(small: Workplace, seed: int) -> None:
    """Training sets, the labels that trainings are shown, windows, baselines and counts."""
    story = LateStory(seed, numbers=seed % 3 > 0)
    run = OneProcess(story.write(story.prepare(small)), random.Random(seed))
    run.start()
    run.to_its_end()
    assert_as_reference(run.directory.path, story)


@pytest.mark.parametrize("seed", SEEDS)
def test_supervisors_that_are_killed_change_nothing(small: Workplace, seed: int) -> None:
    """Each may be so before an event is in its journal, or between that and what follows from it; another goes on."""
    story = LateStory(100 + seed, numbers=seed % 3 > 0)
    run = OneProcess(story.write(story.prepare(small)), random.Random(seed), risk=0.1)
    run.begin()
    run.to_its_end()
    assert_as_reference(run.directory.path, story)
    assert run.kills

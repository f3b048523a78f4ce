"""Runs whose labels come late, in one process, are what a short reference makes of them."""

from __future__ import annotations

import os
import random

import pytest
from late_stories import LateStory
from late_verdict import Followed, assert_as_reference, found_before
from one_process import OneProcess
from workplace import Workplace

SEEDS = range(int(os.environ.get("LATE_SEEDS", "5")))  # make test-long: 20


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


def follow(story: LateStory, run: OneProcess, everything: int) -> list[tuple[int, int, int]]:
    """Tell a run a story: files of rows and of labels come one by one, in any order, and between them it works.

    What was told when: (first position, rows seen, triggers fired) before each file of labels.
    """
    dice, small = story.dice, run.small
    rows, labels = everything, 0
    told = []
    run.begin()
    run.alive(run.look)
    while rows < len(story.rows) or labels < len(story.labels):
        if rows < len(story.rows) and (labels == len(story.labels) or dice.random() < 0.5):
            stop = min(len(story.rows), rows + dice.randint(1, 30))
            story.write_rows(small, rows, stop)
            rows = stop
        else:
            stop = min(len(story.labels), labels + dice.randint(1, 90))
            told.append((labels, rows, len(run.state.triggers)))
            story.write_labels(small, labels, stop)
            labels = stop
        run.alive(run.look)
        while not run.observer.at_end or run.observer.is_behind:
            run.turn()
        for _ in range(dice.choice([0, 1, 5])):
            run.turn()
    while run.turn():
        pass
    run.stop()
    return told


@pytest.mark.parametrize("mode", ["replay", "train_on_everything"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_that_follows_is_the_reference_to_the_row(small: Workplace, seed: int, mode: str) -> None:
    """Labels come in files of their own, before, between and behind the rows. Windows wait for them, and no trigger
    knows one that was not found by then.
    """
    story = LateStory(200 + seed, numbers=seed % 3 > 0)
    story.strategy = "new_data"
    story.prepare(small).pipeline["initial_mode"] = mode
    everything = len(story.rows) // 4 if mode == "train_on_everything" else 0
    story.write_rows(small, 0, everything or 1)
    run = OneProcess(small, random.Random(seed), experiment=False)
    told = follow(story, run, everything or 1)
    found = found_before(run)
    assert [found[first] for first, *_ in told] == [rows for _, rows, _ in told]
    Followed(run, story, everything).assert_all()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_that_follows_knows_no_label_before_it_was_found_whoever_is_killed(small: Workplace, seed: int) -> None:
    """What one session knew at a trigger, the next one knows, too; a file that is found between them comes later."""
    story = LateStory(300 + seed, numbers=seed % 3 > 0)
    story.strategy = "new_data"
    story.write_rows(story.prepare(small), 0, 1)
    run = OneProcess(small, random.Random(seed), experiment=False, risk=0.05)
    told = follow(story, run, 1)
    assert run.kills
    for first, _, triggers in told:
        for number in range(triggers):
            assert run.state.trigger(number).fired.labels.position <= first
    Followed(run, story).assert_all()

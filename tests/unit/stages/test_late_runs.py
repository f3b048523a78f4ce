"""Runs whose labels come late, in one process, are what a short reference makes of them."""

from __future__ import annotations

import os
import random

import pytest
from late_reference import Label
from late_stories import DAY_US, LateStory, follow
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
    found = found_before(run.directory)
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


def test_labels_found_behind_the_last_row_are_there_again_after_a_resume(small: Workplace) -> None:
    """Windows that waited for them alone are scored with them, though no row comes any more."""
    story = LateStory(400)
    story.strategy, story.period_days, story.patience_us, story.every = "new_data", None, None, 20
    story.rows = [(key, key * DAY_US) for key in range(70)]
    story.labels = [Label(key, float(key + 1), key * DAY_US) for key in (*range(0, 70, 2), *range(1, 70, 2))]
    story.write_rows(story.prepare(small), 0, 70)
    story.write_labels(small, 0, 35)
    run = OneProcess(small, random.Random(0), experiment=False)
    run.begin()
    while run.turn():
        pass
    assert not any(task.kind == "baseline" for task, _ in run.done)
    story.write_labels(small, 35, 70)
    run.look()
    run.resume()
    while run.turn():
        pass
    run.stop()
    assert any(task.kind == "baseline" for task, _ in run.done)
    Followed(run, story).assert_all()


def test_labels_found_between_two_sessions_come_behind_those_found_before(small: Workplace) -> None:
    """Also where the line that says how many rows were seen was torn off the journal."""
    story = LateStory(500)
    story.strategy, story.period_days = "new_data", None
    third = len(story.labels) // 3
    story.write_rows(story.prepare(small), 0, 1)
    run = OneProcess(small, random.Random(0), experiment=False)
    run.begin()
    story.write_rows(small, 1, story.every - 2)
    run.look()
    run.observe()
    story.write_labels(small, 0, third)
    run.look()
    journal = run.directory.journal_path
    lines = journal.read_bytes().splitlines(keepends=True)
    found = next(number for number, line in enumerate(lines) if b'"labels_discovered"' in line)
    journal.write_bytes(b"".join(line for line in lines[: found + 1] if b'"observed"' not in line))
    story.write_labels(small, third, len(story.labels))
    run.resume()
    story.write_rows(small, story.every - 2, len(story.rows))
    run.look()
    while run.turn():
        pass
    run.stop()
    assert set(found_before(run.directory)) == {story.every - 2}
    Followed(run, story).assert_all()


def test_event_time_goes_on_from_all_that_was_there_at_first(small: Workplace) -> None:
    """A row of these is dated later than many that follow: until they reach it, labels are known as they were then."""
    story = LateStory(600)
    story.strategy, story.tail, story.every, story.period_days, story.patience_us = "new_data", 0, 10, None, None
    story.rows = [(key, key * DAY_US // 4 + (20 * DAY_US if key == 10 else 0)) for key in range(130)]
    story.labels = [Label(key, float(key + 1), key * DAY_US // 4 + DAY_US) for key in range(130)]
    story.prepare(small).pipeline["initial_mode"] = "train_on_everything"
    story.write_rows(small, 0, 30)
    story.write_labels(small, 0, 130)
    run = OneProcess(small, random.Random(0), experiment=False)
    run.begin()
    story.write_rows(small, 30, 130)
    run.look()
    while run.turn():
        pass
    run.stop()
    Followed(run, story, 30).assert_all()

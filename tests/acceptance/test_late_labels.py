"""Labels that come late, in whole runs: whoever is killed on the way, nothing but what was known is used."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import time
from pathlib import Path

import lookup
import psutil
from late_reference import Label
from late_stories import DAY_US, LateStory
from late_verdict import Scores, assert_as_reference, assert_trained, found_before, read_scores
from one_process import OneProcess
from running import Running
from workplace import Workplace

from supervisor.run.directory import RunDirectory

GATHERED = '"report":"gathered"'


def prepared(story: LateStory, small: Workplace) -> Workplace:
    """A workplace for a story, with the models that learn by heart where workers find them."""
    story.prepare(small)
    shutil.copy(lookup.__file__, small.folder / "lookup.py")
    small.config["lease"] = "2s"
    return small


def kill_a_worker(run: Running, dice: random.Random) -> None:
    """kill -9 of one of the supervisor's workers, whatever it does; of none if the run is over."""
    with contextlib.suppress(psutil.NoSuchProcess):
        while run.process.poll() is None:
            children = psutil.Process(run.process.pid).children()
            workers = [one for one in children if {"train", "evaluate"} & {*one.cmdline()}]
            if workers:
                dice.choice(workers).send_signal(signal.SIGKILL)
                return
            time.sleep(0.02)


def same_bytes(run_dir: Path, other: Path) -> None:
    """Sets, weights and scores."""
    files = [*other.glob("training_sets/*.parquet"), *other.glob("models/*/*.safetensors"), other / "evaluations.csv"]
    assert len(files) > 5
    for file in files:
        assert (run_dir / file.relative_to(other)).read_bytes() == file.read_bytes(), file


def test_a_replay_with_two_trainers_and_kills_is_the_reference(small: Workplace, tmp_path: Path) -> None:
    """kill -9 of workers and of supervisors, one of them when all rows were seen: to the byte what one process makes of
    the same stream, and to the row what the reference makes of it.
    """
    story, dice = LateStory(3), random.Random(0)
    story.every, story.period_days = 23, None
    prepared(story, small).config["fleet"] = {"train": 2, "evaluate": 1, "device": "cpu"}
    story.write(small)
    with Running.pipeline(small, "--experiment-mode") as run:
        journaled(small, GATHERED, 1)
        kill_a_worker(run, dice)
        journaled(small, GATHERED, 3)
        run.end(signal.SIGKILL)
    with Running.pipeline(small, "--resume") as run:
        journaled(small, GATHERED, 4)
        kill_a_worker(run, dice)
        journaled(small, GATHERED, 5)
        run.end(signal.SIGKILL)
    done = small.run("--resume")
    assert done.returncode == 0, done.stderr
    assert_as_reference(small.run_dir, story)
    (tmp_path / "other").mkdir()
    alone = OneProcess(story.write(story.prepare(Workplace.small(tmp_path / "other"))), random.Random(1))
    alone.start()
    alone.to_its_end()
    same_bytes(small.run_dir, alone.directory.path)


def journaled(small: Workplace, text: str, times: int = 1) -> None:
    """Return once the journal has this text, so many times: trainings that run side by side end in any order."""
    journal, give_up_s = small.run_dir / "journal.jsonl", time.monotonic() + 60
    while not journal.exists() or journal.read_text().count(text) < times:
        assert time.monotonic() < give_up_s, text
        time.sleep(0.02)


def test_a_run_that_follows_goes_on_over_days_of_labels_in_files_of_their_own(small: Workplace) -> None:
    """A supervisor is killed between labels that were found and the trigger that knows them; a trigger that knows
    nothing new trains nothing; windows are scored when their labels are there, and say how many rows lack one.
    """
    story = LateStory(0)
    story.strategy, story.tail, story.every, story.period_days, story.test = "new_data", 0, 20, None, 0.0
    story.patience_us = 10 * DAY_US
    story.rows = [(key, key * DAY_US // 4) for key in range(119)]
    story.labels = [Label(key, float(key + 1), key * DAY_US // 4 + DAY_US) for key in range(100) if key % 7]
    story.labels += [Label(key, float(1_000 + key), key * DAY_US // 4 + 5 * DAY_US) for key in range(0, 40, 3)]
    prepared(story, small).config["notification"] = {"every": "0.1s"}
    story.write_rows(small, 0, 30)
    with Running.pipeline(small) as run:
        run.wait_for("trigger 0: 0 samples selected of 20 rows read; there is nothing to train on")
        story.write_labels(small, 0, 20)
        journaled(small, '"labels_discovered"')
        run.end(signal.SIGKILL)
    with Running.pipeline(small, "--resume") as run:
        story.write_rows(small, 30, 50)
        run.wait_for("model 1 committed")
        story.write_labels(small, 20, len(story.labels))
        story.write_rows(small, 50, 119)
        journaled(small, GATHERED, 4)
        journaled(small, '/2/score/0","attempt":1,"worker"')
        assert run.end() == 0
    reference = story.reference()
    found = found_before(RunDirectory(small.run_dir))
    assert found == [30] * 20 + [50] * (len(story.labels) - 20)
    reference.labels = [one._replace(from_key=key) for one, key in zip(reference.labels, found, strict=True)]
    triggers = story.triggers(reference)
    listed = [(one["key"], one["labelled_key"]) for one in small.summary()["trigger_list"]]
    assert listed == [(one.key, one.labelled_key) for one in triggers]
    for number, trigger in enumerate(triggers):
        assert_trained(small.run_dir, number, trigger)
    scores = Scores(story, reference, triggers)
    read = {name: score for name, score in read_scores(small.run_dir).items() if name[1] == "next"}
    windows = dict(scores.windows())
    assert read == {
        (str(number), "next", ""): scores.of(number, windows[number], reference.final(windows[number]))
        for number in (1, 2)  # a label of a row behind is waited for
    }
    assert [unlabelled for *_, unlabelled in read.values()] == [3, 3]

"""Whether what lies in a run directory is what the reference makes of the same stream, to the row."""

from __future__ import annotations

import csv
import json
import math
from statistics import fmean

import lookup
import pyarrow.parquet as pq
import pytest
from late_stories import CLASSES, DAY_US, LateStory

from shared.timestamps import format_timestamp
from supervisor.core.events import LabelsDiscovered
from supervisor.run.journal import events_in
from workers.models.model_file import unpack


def assert_as_reference(run_dir, story: LateStory) -> None:
    """Of a replay: triggers, training sets, the labels that trainings were shown, windows, baselines and counts."""
    reference = story.reference()
    triggers = story.triggers(reference)
    summary = json.loads((run_dir / "summary.json").read_text())
    assert summary["status"] == "finished"
    listed = [(one["key"], one["labelled_key"], one["samples_selected"]) for one in summary["trigger_list"]]
    assert listed == [(one.key, one.labelled_key, len(one.selected)) for one in triggers]
    assert summary["unlabelled"] == reference.unlabelled()
    for number, trigger in enumerate(triggers):
        assert_trained(run_dir, number, trigger)
    scores = Scores(story, reference, triggers)
    assert read_scores(run_dir) == scores.expected()
    assert_summed_up(summary, scores)


def assert_trained(run_dir, number, trigger) -> None:
    """The training set of a trigger, and the labels that its model learned by heart; neither where it is empty."""
    sets, model = run_dir / f"training_sets/{number}.parquet", run_dir / f"models/{number}/model.safetensors"
    assert (sets.exists(), model.exists()) == (bool(trigger.selected), bool(trigger.selected))
    if trigger.selected:
        assert pq.read_table(sets)["key"].to_pylist() == trigger.selected
        assert shown_to(run_dir, number) == trigger.shown, number


def shown_to(run_dir, number) -> dict[int, float]:
    """Row → label, as the training of a trigger was shown them."""
    body = (run_dir / f"models/{number}/model.safetensors").read_bytes()
    return lookup.shown(unpack(body).weights["learned"].numpy())


def read_scores(run_dir) -> dict[tuple[str, ...], tuple[float | None, int, int]]:
    """(trigger, window, slice) → (score, rows, rows without a label)."""
    with (run_dir / "evaluations.csv").open() as lines:
        return {
            (one["trigger"], one["window"], one["slice"]): (
                float(one["value"]) if one["value"] else None,
                int(one["n"]),
                int(one["unlabelled"]),
            )
            for one in csv.DictReader(lines)
        }


class Scores:
    """What the reference says of models that learned by heart."""

    def __init__(self, story, reference, triggers):
        self.story, self.reference = story, reference
        self.triggers = triggers
        self.trained = [number for number, one in enumerate(triggers) if one.selected]

    def of(self, number, rows, labels):
        """(score, rows, rows without a label) of a model on a window."""
        said = self.triggers[number].shown
        return self.mean([self.wrong(said.get(row, 0.0), labels[row]) for row in rows if row in labels], rows)

    def mean(self, found, rows):
        """Of so many scored rows of a window."""
        return (math.fsum(found) / len(found) if found else None, len(found), len(rows) - len(found))

    def wrong(self, said, label):
        """What a row adds to the metric: the absolute error, or whether the class is right."""
        return abs(said - label) if self.story.numbers else float(said == label)

    def expected(self):
        """All lines of evaluations.csv."""
        found = {}
        for number in self.trained:
            trigger = self.triggers[number]
            for window, days, split in (("recent", 9, None), ("tested", 4, self.reference.test_split)):
                rows, labels = self.reference.last(trigger, days * DAY_US, split)
                found[str(number), window, ""] = self.of(number, rows, labels)
            for first_us, rows in self.reference.slices(7 * DAY_US):
                key = str(number), "weeks", format_timestamp(first_us)
                found[key] = self.of(number, rows, self.reference.final(rows))
        for number, rows in self.windows():
            found[str(number), "next", ""] = self.of(number, rows, self.reference.final(rows))
        return found

    def windows(self):
        """(number of the trigger, rows) of the windows that the composite is of."""
        places = {id(one): number for number, one in enumerate(self.triggers)}
        return [(places[id(one)], list(rows)) for one, rows in self.reference.windows(self.triggers)]

    def composite(self, score):
        """The mean over these windows, by rows, of a model of its own for each: `score(number, rows, labels)`."""
        scored = [(score(number, rows, self.reference.final(rows))) for number, rows in self.windows()]
        rows = sum(n for _, n, _ in scored)
        return math.fsum(value * n for value, n, _ in scored if value is not None) / rows if rows else None

    def guessed(self, guess):
        """A baseline's score: `guess(labels, known before, in the order of their rows)`."""

        def score(_, rows, labels):
            scored = [row for row in rows if row in labels]
            return self.mean([self.wrong(guess(self.reference.guesses(row)), labels[row]) for row in scored], rows)

        return score

    def majority(self, known):
        """The mean of what is known, or the class that is most frequent; of equals the first."""
        if self.story.numbers:
            return fmean(known) if known else 0.0
        return max(range(CLASSES), key=known.count)

    def no_change(self, known):
        """The label of the last row whose label is known."""
        return known[-1] if known else 0.0


def assert_summed_up(summary, scores: Scores) -> None:
    """Composite and baselines."""
    metric = "mae" if scores.story.numbers else "accuracy"
    first = scores.trained[0] if scores.trained else None
    expected = {
        "majority": scores.composite(scores.guessed(scores.majority)),
        "no_change": scores.composite(scores.guessed(scores.no_change)),
        "first_model": scores.composite(lambda _, rows, labels: scores.of(first, rows, labels)),
    }
    assert summary["composite"][metric] == pytest.approx(scores.composite(scores.of), rel=1e-12)
    for name, value in expected.items():
        assert summary["baselines"][name][metric] == pytest.approx(value, rel=1e-9), name


class Followed:
    """Whether a run that follows its dataset, and was told all of a story, is what the reference makes of it.

    `everything`: so many rows there were at first, and trigger 0 is over them.
    """

    def __init__(self, run, story, everything=0):
        self.run, self.story = run, story
        self.reference = reference = story.reference()
        reference.labels = [
            label._replace(from_key=from_key)
            for label, from_key in zip(reference.labels, found_before(run.directory), strict=True)
        ]
        self.everything = everything
        self.triggers = story.triggers(reference, everything)
        self.scores = Scores(story, reference, self.triggers)
        self.read = read_scores(run.directory.path)

    def assert_all(self):
        """All of it."""
        listed = [self.run.state.trigger(number).fired for number in range(len(self.run.state.triggers))]
        assert [(one.key, one.labelled_key) for one in listed] == [(one.key, one.labelled_key) for one in self.triggers]
        for number, trigger in enumerate(self.triggers):
            assert_trained(self.run.directory.path, number, trigger)
        for number in self.scores.trained:
            for window, days, split in (("recent", 9, None), ("tested", 4, self.reference.test_split)):
                rows, labels = self.reference.last(self.triggers[number], days * DAY_US, split)
                assert self.read.pop((str(number), window, "")) == self.scores.of(number, rows, labels)
        self.assert_windows()
        self.assert_slices()
        assert not self.read
        self.assert_baselines()

    def assert_windows(self):
        """They are scored once nothing is waited for any more up to their end."""
        closed = [one for one in self.scores.windows() if one[0] != self.scores.trained[-1]]
        for number, rows in closed:
            self.assert_one((str(number), "next", ""), number, rows)

    def assert_slices(self):
        """Likewise, but for the last, which is open."""
        for first_us, rows in self.reference.slices(7 * DAY_US, self.everything)[:-1]:
            for number in self.scores.trained:
                self.assert_one((str(number), "weeks", format_timestamp(first_us)), number, rows)

    def assert_one(self, name, number, rows):
        """A window is scored as of a moment at which all of its labels were known or given up, if there was one."""
        if self.waits(rows[-1], self.reference.times[-1], len(self.reference.labels)):
            assert name not in self.read
            return
        moments = [
            task.labels
            for task, report in self.run.done
            for score in getattr(report, "scores", ())
            if task.kind == "evaluate" and (str(score.trigger_id), score.window, score.slice) == name
        ]
        for moment in moments:
            assert not self.waits(rows[-1], moment.event_time_us, moment.position)
        found = [self.reference.final(rows, one.event_time_us, one.position) for one in moments]
        assert self.read.pop(name) in [self.scores.of(number, rows, labels) for labels in found]

    def waits(self, key, event_time_us, position):
        """Whether a label is waited for of a row up to a key."""
        return any(self.reference.waits(row, event_time_us, position) for row in range(key + 1))

    def assert_baselines(self):
        """They know of each row's time what the row could know."""
        for task, report in self.run.done:
            if task.kind == "baseline":
                rows, moment = range(task.first_key, task.last_key + 1), task.labels
                assert not self.waits(task.last_key, moment.event_time_us, moment.position)
                labels = self.reference.final(rows, moment.event_time_us, moment.position)
                for name, guess in (("majority", self.scores.majority), ("no_change", self.scores.no_change)):
                    (score,) = report.scores[name]
                    value, n, _ = self.scores.guessed(guess)(None, rows, labels)
                    assert (score.value, score.n) == (pytest.approx(value, rel=1e-9), n)


def found_before(directory):
    """For each label row, the row that was to be observed next when it was found, as the journal has it."""
    finds = [event for event in events_in(directory.journal_path) if isinstance(event, LabelsDiscovered)]
    return [one.from_key for one in finds for entry in one.entries for _ in range(entry.rows)]

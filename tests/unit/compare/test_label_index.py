"""The index of labels that is made anew of a run's journal holds what the run's own one held."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from late_stories import LateStory, follow
from one_process import OneProcess
from rescoring import to_score
from workplace import Workplace

from shared.labels.as_of import FINAL
from shared.labels.index import LabelIndex
from supervisor.compare.label_index import what_decides, write_label_index


def assert_same_index(run: OneProcess, folder: Path, last_key: int) -> None:
    """All changes that rows up to this one know, in their order, and the final labels of these rows."""
    own, anew = LabelIndex(run.record.labels_uri or ""), LabelIndex(folder)
    changes = own.changes(0, last_key + 1)
    assert len(changes) > 10
    for name in changes.dtype.names:
        np.testing.assert_array_equal(anew.changes(0, last_key + 1)[name], changes[name])
    rows = np.arange(run.state.first_usable_key, last_key + 1)
    assert anew.labels(rows, FINAL).equals(own.labels(rows, FINAL))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_that_of_a_replay(small: Workplace, tmp_path: Path, seed: int) -> None:
    """All labels were found before the first row."""
    story = LateStory(700 + seed)
    run = OneProcess(story.write(story.prepare(small)), random.Random(seed))
    run.start()
    run.to_its_end()
    for last_key in (len(story.rows) - 1, len(story.rows) // 2):
        write_label_index(to_score(run), last_key, tmp_path / str(last_key))
        assert_same_index(run, tmp_path / str(last_key), last_key)


@pytest.mark.parametrize("mode", ["replay", "train_on_everything"])
@pytest.mark.parametrize("seed", [1, 2])
def test_that_of_a_run_that_followed(small: Workplace, tmp_path: Path, seed: int, mode: str) -> None:
    """Labels count from the row on before which they were found; rows before those that are followed have some, too."""
    story = LateStory(800 + seed)
    story.strategy = "new_data"
    story.prepare(small).pipeline["initial_mode"] = mode
    everything = len(story.rows) // 4 if mode == "train_on_everything" else 0
    story.write_rows(small, 0, everything or 1)
    run = OneProcess(small, random.Random(seed), experiment=False)
    follow(story, run, everything or 1)
    write_label_index(to_score(run), len(story.rows) - 1, tmp_path / "index")
    assert_same_index(run, tmp_path / "index", len(story.rows) - 1)


def test_runs_that_found_labels_alike_can_have_one(small: Workplace) -> None:
    """Whatever they learn; one that began with another row has its own."""
    story, found = LateStory(900), []
    story.write(story.prepare(small))
    for seed, mode in ((0, "replay"), (1, "replay"), (1, "train_on_everything")):
        small.pipeline["training"]["seed"] = seed
        small.pipeline["initial_mode"] = mode
        run = OneProcess(small, random.Random(0), experiment=False)
        run.directory.journal_path.unlink(missing_ok=True)
        run.start()
        found.append(what_decides(to_score(run)))
    assert found[0] == found[1]
    assert found[0] != found[2]

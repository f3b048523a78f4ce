"""A schedule that ends before a first training does is refused before anything is trained."""

from __future__ import annotations

import msgspec
import pytest

from shared.config.pipeline import Scheduler, Split, TrainingStrategy, Trigger
from tests.unit.training.samples import flights, pipeline, training
from workers.check import check

TIME = Trigger(name="time", options={"every_s": 86_400.0, "anchor_us": None})


def one_cycle(steps, every="batch", **changes):
    """A pipeline of two epochs in batches of 64, with a trigger every 100 rows."""
    schedule = Scheduler(name="OneCycleLR", config={"max_lr": 0.01, "total_steps": steps}, every=every)
    fit = training(epochs=2, batch_size=64, lr_scheduler=schedule)
    whole = Split(test=0.0, validation=0.0, by=None)
    made = pipeline(training_=fit)
    data = msgspec.structs.replace(made.data, split=changes.pop("split", whole))
    trigger = changes.pop("trigger", Trigger(name="data_amount", options={"every": 100}))
    return msgspec.structs.replace(made, data=data, trigger=trigger, **changes)


def found(wanted, dataset=None):
    """What the check says of the schedule."""
    return [one for one in check(wanted, dataset, (), "cpu") if one.path.startswith("training.lr_scheduler")]


@pytest.mark.parametrize("dataset", [None, flights()])
def test_the_number_that_is_needed_is_told(dataset):
    """Two batches in each of two epochs are four steps: three are too few, with line and number, and four will do."""
    (told,) = found(one_cycle(3), dataset)
    assert (told.path, told.exit_code) == ("training.lr_scheduler.config.total_steps", 2)
    assert "OneCycleLR ends after 3 steps, but a training on 100 rows takes 4" in told.sentence
    assert "write `total_steps: 4` or more" in told.sentence
    assert found(one_cycle(4), dataset) == []


def test_rows_kept_for_tests_make_it_a_guess_that_never_refuses_what_would_do():
    """With a fifth of the rows in another split 80 of 100 are trained on, or some more or fewer."""
    split = Split(test=0.2, validation=0.0, by=None)
    assert found(one_cycle(2, split=split)) == []
    (told,) = found(one_cycle(1, split=split))
    assert "write `total_steps: 4` or more" in told.sentence


def test_a_training_of_unknown_size_has_a_batch_an_epoch_at_least():
    """A trigger by time may come after one row; a schedule that steps by epoch needs as many steps as epochs."""
    assert found(one_cycle(2, trigger=TIME)) == []
    assert "a training takes 2 at least" in found(one_cycle(1, trigger=TIME))[0].sentence
    assert found(one_cycle(2, every="epoch")) == []
    assert "write `total_steps: 2` or more" in found(one_cycle(1, every="epoch"))[0].sentence


def test_a_first_training_on_all_that_exists():
    """With train_on_everything the dataset says how many rows there are."""
    (told,) = found(one_cycle(4, initial_mode="train_on_everything"), flights(rows=200))
    assert "on 200 rows takes 8" in told.sentence


def test_a_tail_makes_later_trainings_longer_than_the_first():
    """The number that is told is enough for those, too."""
    (told,) = found(one_cycle(3, strategy=TrainingStrategy(name="new_data", options={"tail": 2})))
    assert "on 300 rows takes 10" in told.sentence


def test_a_strategy_with_a_limit_may_leave_rows_out():
    """So its training may be as small as one row, and a schedule that ends soon may do."""
    limited = TrainingStrategy(name="new_data", options={"tail": 0, "limit": 64, "seed": None})
    assert found(one_cycle(2, strategy=limited)) == []
    assert "a training takes 2 at least" in found(one_cycle(1, strategy=limited))[0].sentence


def test_a_warm_up_trains_on_all_whatever_the_strategy():
    """So how many rows the first training has is known, and that later ones have more."""
    limited = {"name": "new_data", "options": {"tail": 0, "limit": 64, "seed": None}}
    (told,) = found(one_cycle(2, strategy=TrainingStrategy(**limited, warm_up=2)))
    assert "a training on 100 rows takes 4 and later ones more" in told.sentence
    assert found(one_cycle(4, strategy=TrainingStrategy(**limited, warm_up=1))) == []


def test_what_is_balanced_leaves_rows_out():
    """Nobody knows how many."""
    balanced = TrainingStrategy(name="new_data", options={"tail": 0, "limit": None, "seed": None}, balance="label")
    assert found(one_cycle(2, strategy=balanced)) == []

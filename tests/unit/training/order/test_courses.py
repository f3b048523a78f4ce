"""Trainings under a rule: what they learn from, and that an interruption changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from shared.config.pipeline import Component, Scheduler
from shared.errors import ConfigurationError, TrainingError
from shared.training_rule import TrainingRule
from tests.unit.training.samples import digits, flights, job, model, prices, run, stops_after, training
from workers.going_on import Interrupted
from workers.selection.batches import BATCH_RULES

RS2 = TrainingRule(name="rs2", options={"share": 0.3, "replacement": False, "seed": 3})
INFOBATCH = TrainingRule(name="infobatch", options={"left_out": 0.5, "whole": 0.2, "seed": 3})
SAMPLED = TrainingRule(
    name="batch_then_sample", options={"measure": "gradient_norm", "share": 0.5, "how": "proportional", "seed": 3}
)
LARGEST = TrainingRule(
    name="batch_then_sample", options={"measure": "entropy", "share": 0.5, "how": "largest", "seed": 3}
)
RULES = pytest.mark.parametrize("rule", [RS2, INFOBATCH, SAMPLED, LARGEST], ids=["rs2", "infobatch", "drawn", "top"])


def ruled(folder, rule, dataset=None, **changes):
    """A training under a rule."""
    return job(folder, dataset, rule=rule, batch_rules=BATCH_RULES, **changes)


def reports(job):
    """What it reports at the end of each epoch."""
    found = []
    run(job, report=found.append)
    return list({one.epoch: one for one in found}.values())


@RULES
@pytest.mark.parametrize("asked", [3, 17])
def test_interrupted_and_resumed_is_identical(tmp_path, rule, asked):
    """Stopped within any epoch and gone on in another process, with dropout, weights and a schedule by batch."""
    settings = {
        "model": model("mlp", hidden=[8], dropout=0.5),
        "weights": np.linspace(0.5, 2, 200, dtype=np.float32),
        "training": training(
            epochs=10,
            batch_size=16,
            lr_scheduler=Scheduler(name="CosineAnnealingLR", config={"T_max": 9}, every="batch"),
        ),
    }
    whole = run(ruled(tmp_path / "whole", rule, **settings))
    with pytest.raises(Interrupted):
        run(ruled(tmp_path / "cut", rule, **settings), should_stop=stops_after(asked))
    with pytest.raises(Interrupted):
        run(ruled(tmp_path / "cut", rule, **settings), should_stop=stops_after(asked))
    resumed = run(ruled(tmp_path / "cut", rule, **settings))
    assert (resumed.body, resumed.loss) == (whole.body, whole.loss)


def test_rs2_learns_from_a_share_of_the_rows_in_each_epoch(tmp_path):
    """200 rows, .3 of them at once: 60, 60, 60, and the 20 that are left; then anew."""
    ends = reports(ruled(tmp_path, RS2, training=training(epochs=5)))
    assert [one.samples for one in ends] == [60, 120, 180, 200, 260]


def test_infobatch_learns_from_fewer_rows_but_for_the_first_and_the_last_epochs(tmp_path):
    """About half of those of low loss are left out: never as many as half of all."""
    samples = np.diff([0] + [one.samples for one in reports(ruled(tmp_path, INFOBATCH, training=training(epochs=10)))])
    assert samples[[0, 8, 9]].tolist() == [200, 200, 200]
    assert (samples[1:8] < 190).all()
    assert (samples[1:8] > 100).all()


@pytest.mark.parametrize("rule", [SAMPLED, LARGEST])
def test_batch_then_sample_learns_from_a_share_of_each_large_batch(tmp_path, rule):
    """Batches of 64, of which 32 are learned from; the last has 8, of which 4 are."""
    ends = reports(ruled(tmp_path, rule, training=training(epochs=2)))
    assert [(one.batch, one.samples) for one in ends] == [(4, 100), (4, 200)]
    assert ends[-1].eta_s == 0


@RULES
def test_what_can_be_learned_is_learned(tmp_path, rule):
    """The loss falls as without a rule."""
    ends = reports(ruled(tmp_path, rule, training=training(epochs=20)))
    assert ends[-1].loss < 0.6 * ends[0].loss


@RULES
@pytest.mark.parametrize(
    "settings",
    [
        {"training": training(epochs=2, optimizer=Component(name="LBFGS", config={}))},
        {"training": training(epochs=2, precision="bf16", gradient_clip_norm=1.0)},
        {"dataset": digits(rows=7, shape=(3, 8, 8)), "model": model("resnet18"), "training": training(batch_size=2)},
    ],
    ids=["lbfgs", "bf16", "batch norm"],
)
def test_rules_go_with_each_kind_of_training(tmp_path, rule, settings):
    """Several evaluations a step, 16 bits, and statistics of batches that need two rows each."""
    whole = run(ruled(tmp_path / "whole", rule, **settings))
    with pytest.raises(Interrupted):
        run(ruled(tmp_path / "cut", rule, **settings), should_stop=stops_after(4))
    assert run(ruled(tmp_path / "cut", rule, **settings)).body == whole.body


def test_without_pruning_and_weights_infobatch_is_a_training_like_any_other(tmp_path):
    """With nothing left out it learns what a training of weights 1 does."""
    nothing = TrainingRule(name="infobatch", options={"left_out": 0.0, "whole": 0.0, "seed": 7})
    plain = run(job(tmp_path / "a"))
    ruled_ = run(ruled(tmp_path / "b", nothing))
    assert ruled_.loss == pytest.approx(plain.loss, rel=1e-5)


def test_another_rule_is_another_training(tmp_path):
    """A checkpoint of one is not gone on from under the other."""
    with pytest.raises(Interrupted):
        run(ruled(tmp_path, RS2), should_stop=stops_after(5))
    whole = run(ruled(tmp_path / "whole", INFOBATCH))
    assert run(ruled(tmp_path, INFOBATCH)).body == whole.body


@pytest.mark.parametrize(
    ("rule", "settings", "said"),
    [
        (TrainingRule(name="mine", options={}), {}, "'mine' of training; this worker knows rs2, infobatch, batch_then"),
        (TrainingRule(name="rs2", options={"share": 2, "seed": 0, "replacement": True}), {}, "share is 2"),
        (
            TrainingRule(name="batch_then_sample", options=SAMPLED.options | {"measure": "rho_loss"}),
            {},
            "measure is 'rho_loss'; batches are sampled by loss",
        ),
        (
            TrainingRule(name="batch_then_sample", options=SAMPLED.options | {"measure": "margin"}),
            {
                "dataset": prices(),
                "model": model(num_classes=1),
                "training": training(loss=Component(name="MSELoss", config={})),
            },
            "write loss or gradient_norm",
        ),
    ],
)
def test_a_rule_that_cannot_be_is_refused(tmp_path, rule, settings, said):
    """In a sentence, before anything is learned."""
    with pytest.raises(ConfigurationError, match=said):
        run(ruled(tmp_path, rule, **settings))


def test_a_loss_that_explodes_ends_the_training(tmp_path):
    """With batch and remedy, as without a rule."""
    fit = training(optimizer=Component(name="SGD", config={"lr": 1e30}), loss=Component(name="MSELoss", config={}))
    rule = TrainingRule(name="batch_then_sample", options=SAMPLED.options | {"measure": "loss"})
    with pytest.raises(TrainingError, match=r"batch \d+ of epoch \d+. Lower the learning rate"):
        run(ruled(tmp_path, rule, prices(), model=model(num_classes=1), training=fit))


def test_labels_of_signs_are_scored_as_they_are_learned_from(tmp_path):
    """Under a loss that wants −1 and 1 a model that learns has a falling loss, drawn by its own losses."""
    rule = TrainingRule(name="batch_then_sample", options=SAMPLED.options | {"measure": "loss"})
    fit = training(epochs=20, loss=Component(name="SoftMarginLoss", config={}))
    ends = reports(ruled(tmp_path, rule, flights(), model=model(num_classes=1), training=fit))
    assert ends[-1].loss < 0.6 * ends[0].loss

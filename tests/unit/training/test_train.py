"""The training loop: what it learns, in which order, and that it can be relied upon to the bit."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pytest

from shared.config.pipeline import Component, Scheduler
from shared.errors import DataError, NotReadyError, TrainingError
from tests.unit.training.memory_dataset import MemoryDataset
from tests.unit.training.samples import digits, flights, job, model, names, prices, run, stops_after, training
from workers.going_on import Interrupted
from workers.inference import load_model_bytes
from workers.training.optimizers import OPTIMIZERS


def accuracy(body, dataset):
    predicted = load_model_bytes(body).predict(dataset.table).argmax(axis=1)
    return (predicted == dataset.table.column("label").to_numpy()).mean()


@pytest.mark.parametrize(
    ("dataset", "id", "config"),
    [
        (flights(), "logistic", {}),
        (flights(), "mlp", {"hidden": [16], "dropout": 0.1}),
        (digits(), "small_cnn", {}),
        (digits(), "mlp", {}),
        (names(), "text_bag", {"max_chars": 8}),
    ],
)
def test_each_model_learns_what_can_be_learned(tmp_path, dataset, id, config):
    """A model trained for a few epochs predicts rows of its training set better than 9 in 10."""
    trained = run(job(tmp_path, dataset, model=model(id, **config), training=training(epochs=15)))
    assert accuracy(trained.body, dataset) > 0.9


def test_a_residual_network_trains_on_small_images(tmp_path):
    """Batch normalisation, residual blocks and a lone last row go through the same loop."""
    small = digits(rows=5, shape=(3, 8, 8))
    trained = run(job(tmp_path, small, model=model("resnet18"), training=training(epochs=1, batch_size=2)))
    assert load_model_bytes(trained.body).predict(small.table).shape == (5, 2)


def test_regression_learns_values(tmp_path):
    """Under MSELoss the model gives one value a row, near the label."""
    fit = training(epochs=60, loss=Component(name="MSELoss", config={}))
    trained = run(job(tmp_path, prices(), model=model(num_classes=1), training=fit))
    values = load_model_bytes(trained.body).predict(prices().table)
    assert np.allclose(values, prices().table.column("label").to_numpy(), atol=0.05)


def test_binary_loss_gives_probabilities_of_two_classes(tmp_path):
    """A model with one output under BCEWithLogitsLoss predicts two probabilities that sum to one."""
    fit = training(epochs=15, loss=Component(name="BCEWithLogitsLoss", config={"pos_weight": 1.5}))
    trained = run(job(tmp_path, model=model(num_classes=1), training=fit))
    probabilities = load_model_bytes(trained.body).predict(flights().table)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert accuracy(trained.body, flights()) > 0.9


def test_same_job_same_bytes(tmp_path):
    """Two trainings of one job give the same bytes, also with dropout."""
    dropout = model("mlp", hidden=[8], dropout=0.5)
    one, other = (run(job(tmp_path / name, model=dropout)) for name in "ab")
    assert one.body == other.body


def test_another_seed_another_model(tmp_path):
    """The seed reaches initialisation and order."""
    assert run(job(tmp_path / "a")).body != run(job(tmp_path / "b", seed=8)).body


@pytest.mark.parametrize("asked", [1 + 3, 1 + 7, 1 + 14, 1 + 21])
@pytest.mark.parametrize("every", ["epoch", "batch"])
def test_interrupted_and_resumed_is_identical(tmp_path, asked, every):
    """Stopped after any batch and gone on in another process, dropout and schedule included, nothing differs."""
    fit = training(lr_scheduler=Scheduler(name="CosineAnnealingLR", config={"T_max": 9}, every=every))
    settings = {"model": model("mlp", hidden=[8], dropout=0.5), "training": fit}
    whole = run(job(tmp_path / "whole", **settings))
    with pytest.raises(Interrupted):
        run(job(tmp_path / "cut", **settings), should_stop=stops_after(asked + 1))
    resumed = run(job(tmp_path / "cut", **settings))
    assert resumed.body == whole.body
    assert resumed.loss == whole.loss


def test_the_time_spent_before_an_interruption_counts(tmp_path):
    """A training that was slow until it was stopped has taken that long, however fast it was afterwards."""
    stops = stops_after(12)

    def slowly() -> bool:
        time.sleep(0.02)
        return stops()

    with pytest.raises(Interrupted):
        run(job(tmp_path), should_stop=slowly)
    began_s = time.monotonic()
    resumed = run(job(tmp_path))
    assert resumed.seconds > 12 * 0.02 + 0.5 * (time.monotonic() - began_s)


def test_interrupted_while_reading_leaves_nothing_to_resume(tmp_path):
    """A stop that comes while rows are read ends the training before it began."""
    with pytest.raises(Interrupted):
        run(job(tmp_path), should_stop=lambda: True)
    assert not (tmp_path / "checkpoints").exists()


def test_checkpoints_come_by_the_clock(tmp_path):
    """With an interval of no time there is a checkpoint after each batch, of which the newest are kept."""
    run(job(tmp_path, training=training(checkpoint_every_s=0.0)))
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == ["epoch-000002-batch-000000006.ckpt", "epoch-000002-batch-000000007.ckpt"]


def test_previous_model_is_gone_on_from(tmp_path):
    """Weights and scaling of the previous model are the starting point of the next, whatever the new rows are."""
    first = run(job(tmp_path / "a"))
    still = training(epochs=1, optimizer=Component(name="SGD", config={"lr": 0.0}))
    other_rows = flights(rows=50, seed=9)
    second = run(job(tmp_path / "b", other_rows, previous=first.body, training=still))
    table = flights().table
    assert np.array_equal(load_model_bytes(first.body).predict(table), load_model_bytes(second.body).predict(table))


def test_weights_multiply_the_loss(tmp_path):
    """A weight of 2 for every row doubles the loss; without a learning rate nothing else changes it."""
    still = training(optimizer=Component(name="SGD", config={"lr": 0.0}))
    plain = run(job(tmp_path / "a", training=still))
    doubled = run(job(tmp_path / "b", training=still, weights=np.full(200, 2, dtype=np.float32)))
    assert doubled.loss == pytest.approx(2 * plain.loss, rel=1e-6)


def test_rows_of_weight_zero_teach_nothing(tmp_path):
    """With wrong labels at weight 0 the model still learns the right ones."""
    dataset = flights()
    wrong = np.arange(200) % 2 == 0
    labels = np.where(wrong, 1 - dataset.table.column("label").to_numpy(), dataset.table.column("label").to_numpy())
    spoiled = MemoryDataset(dataset.table.set_column(3, "label", pa.array(labels)))
    weights = np.where(wrong, 0, 1).astype(np.float32)
    trained = run(job(tmp_path, spoiled, weights=weights, training=training(epochs=15)))
    assert accuracy(trained.body, dataset) > 0.9


def test_only_the_rows_of_the_keys_are_learned_from(tmp_path):
    """Keys pick the rows: the samples counted and the scaling are theirs."""
    keys = np.arange(0, 200, 4)
    trained = run(job(tmp_path, keys=keys, weights=np.ones(50, dtype=np.float32)))
    mean = load_model_bytes(trained.body).encoder.tensors()["mean"]
    assert trained.samples == 50
    assert mean[0] == pytest.approx(flights().table.column("wind").to_numpy()[keys].mean())


def test_progress_is_reported_every_few_batches_and_at_the_end_of_an_epoch(tmp_path):
    """200 rows in batches of 32 are 7 batches, reported every 2."""
    reports = []
    run(job(tmp_path, training=training(epochs=2)), report=reports.append)
    assert [(report.epoch, report.batch) for report in reports] == [(e, b) for e in (1, 2) for b in (2, 4, 6, 7)]
    assert reports[-1].eta_s == 0
    assert {report.epochs for report in reports} == {2}
    assert reports[-1].samples == 400


def test_the_loss_reported_last_is_the_loss_of_the_model(tmp_path):
    """The result repeats the mean loss of its last epoch."""
    reports = []
    trained = run(job(tmp_path), report=reports.append)
    assert trained.loss == reports[-1].loss < reports[0].loss


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"SparseAdam", "Muon"}))
def test_every_optimizer_trains_and_resumes(tmp_path, name):
    """Each optimizer of torch that can train a linear layer goes through a checkpoint unchanged."""
    fit = training(epochs=2, optimizer=Component(name=name, config={"lr": 0.01}))
    whole = run(job(tmp_path / "whole", training=fit))
    with pytest.raises(Interrupted):
        run(job(tmp_path / "cut", training=fit), should_stop=stops_after(6))
    assert run(job(tmp_path / "cut", training=fit)).body == whole.body


@pytest.mark.parametrize(
    ("name", "config", "every"),
    [
        ("ConstantLR", {}, "batch"),
        ("CosineAnnealingWarmRestarts", {"T_0": 3}, "batch"),
        ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1}, "batch"),
        ("ExponentialLR", {"gamma": 0.9}, "epoch"),
        ("LinearLR", {}, "batch"),
        ("MultiStepLR", {"milestones": [1, 2]}, "epoch"),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 21}, "batch"),
        ("PolynomialLR", {}, "epoch"),
        ("ReduceLROnPlateau", {"patience": 0}, "epoch"),
        ("StepLR", {"step_size": 1}, "epoch"),
    ],
)
def test_every_scheduler_trains_and_resumes(tmp_path, name, config, every):
    """Each scheduler of torch goes through a checkpoint unchanged."""
    sgd = Component(name="SGD", config={"lr": 0.1, "momentum": 0.9})
    fit = training(optimizer=sgd, lr_scheduler=Scheduler(name=name, config=config, every=every))
    whole = run(job(tmp_path / "whole", training=fit))
    with pytest.raises(Interrupted):
        run(job(tmp_path / "cut", training=fit), should_stop=stops_after(13))
    assert run(job(tmp_path / "cut", training=fit)).body == whole.body


def test_a_schedule_moves_the_learning_rate(tmp_path):
    """A scheduler that multiplies by zero after the first epoch leaves the model of that epoch."""
    stop = Scheduler(name="ExponentialLR", config={"gamma": 0.0}, every="epoch")
    one_epoch = run(job(tmp_path / "a", training=training(epochs=1)))
    scheduled = run(job(tmp_path / "b", training=training(epochs=3, lr_scheduler=stop)))
    table = flights().table
    assert np.array_equal(
        load_model_bytes(one_epoch.body).predict(table), load_model_bytes(scheduled.body).predict(table)
    )


def test_clipping_bounds_a_step(tmp_path):
    """With a norm of nearly zero the weights stay where they began."""
    sgd = Component(name="SGD", config={"lr": 1.0})
    still = run(job(tmp_path / "a", training=training(optimizer=Component(name="SGD", config={"lr": 0.0}))))
    clipped = run(job(tmp_path / "b", training=training(optimizer=sgd, gradient_clip_norm=1e-9)))
    table = flights().table
    assert np.allclose(load_model_bytes(still.body).predict(table), load_model_bytes(clipped.body).predict(table))


def test_a_loss_that_explodes_names_batch_and_remedy(tmp_path):
    """A learning rate far too large ends the training with a sentence, not with a model of NaN."""
    fit = training(optimizer=Component(name="SGD", config={"lr": 1e30}), loss=Component(name="MSELoss", config={}))
    with pytest.raises(TrainingError, match=r"batch \d+ of epoch \d+. Lower the learning rate"):
        run(job(tmp_path, prices(), model=model(num_classes=1), training=fit))


def test_a_schedule_that_runs_out_is_a_training_error(tmp_path):
    """What a scheduler raises in the middle is told as what it is."""
    once = Scheduler(name="OneCycleLR", config={"max_lr": 0.1, "total_steps": 5}, every="batch")
    with pytest.raises(TrainingError, match="total"):
        run(job(tmp_path, training=training(lr_scheduler=once)))


def test_a_label_outside_the_classes_names_its_key(tmp_path):
    """Label, key and remedy are in the sentence."""
    dataset = flights()
    labels = dataset.table.column("label").to_numpy().copy()
    labels[123] = 5
    with pytest.raises(DataError, match="key 123 is 5.*num_classes to 6"):
        run(job(tmp_path, MemoryDataset(dataset.table.set_column(3, "label", pa.array(labels)))))


def test_an_empty_training_set_is_refused(tmp_path):
    """No rows, no model."""
    nothing = np.array([], dtype=np.int64)
    with pytest.raises(DataError, match="empty"):
        run(job(tmp_path, keys=nothing, weights=nothing.astype(np.float32)))


def test_a_device_that_is_not_there_is_named(tmp_path):
    """Asking for the hundredth GPU is answered with a sentence."""
    with pytest.raises(NotReadyError, match="cuda:99"):
        run(job(tmp_path, device="cuda:99"))


def test_no_scratch_file_is_left(tmp_path):
    """Encoded rows lie in a file without a name."""
    run(job(tmp_path))
    assert list((tmp_path / "scratch").iterdir()) == []

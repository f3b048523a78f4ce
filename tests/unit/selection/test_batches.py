"""Sampling within a batch: what is drawn estimates the whole batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from shared.config.pipeline import Component
from shared.errors import TrainingError
from tests.unit.training.samples import training
from workers.selection.batches.batch_then_sample import BatchThenSample
from workers.training.learner import Learner
from workers.training.losses import make_objective
from workers.training.rows.batch import Batch

CPU = torch.device("cpu")
LOSS = Component(name="CrossEntropyLoss", config={})


def batch_of(rows, weights):
    random = np.random.default_rng(0)
    inputs = torch.from_numpy(random.normal(size=(rows, 3)).astype(np.float32))
    labels = torch.from_numpy((random.random(rows) < torch.sigmoid(inputs[:, 0]).numpy()).astype(np.int64))
    own = torch.from_numpy(random.exponential(1, rows).astype(np.float32)) if weights else None
    return Batch(inputs, labels, own)


def learner_of(batch):
    """A model that is somewhere."""
    torch.manual_seed(0)
    return Learner(torch.nn.Linear(3, 2), training(), CPU, weighted=True)


def gradient(learner, batch):
    """Of the mean of weight × loss, by all parameters, (8,)."""
    learner.model.zero_grad()
    objective = make_objective(LOSS, weighted=True)
    weights = torch.ones(len(batch.labels)) if batch.weights is None else batch.weights
    objective(learner.model(batch.inputs), batch.labels, weights).backward()
    return torch.cat([one.grad.flatten() for one in learner.model.parameters()]).numpy().copy()


@pytest.mark.parametrize("weights", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("measure", ["loss", "gradient_norm", "entropy"])
def test_what_is_drawn_in_proportion_estimates_the_batch_without_bias(measure, weights):
    """The mean gradient of 2,000 draws is that of the batch, within four standard errors."""
    batch = batch_of(60, weights)
    learner = learner_of(batch)
    rule = BatchThenSample(measure=measure, share=0.2, how="proportional", seed=1)
    sampler = rule.sampler(learner, LOSS, CPU)
    whole = gradient(learner, batch)
    drawn = np.stack([gradient(learner, sampler.chosen(batch, 0, number)) for number in range(2_000)])
    error = np.abs(drawn.mean(axis=0) - whole) / (drawn.std(axis=0) / np.sqrt(len(drawn)))
    assert (error < 4).all()
    assert len(sampler.chosen(batch, 0, 0).labels) == 12


def test_by_the_norm_of_the_gradient_the_estimate_varies_less_than_by_chance():
    """That is what it is for."""
    batch = batch_of(60, False)
    learner = learner_of(batch)
    with torch.no_grad():  # a model that is sure of most rows
        learner.model.weight.copy_(torch.tensor([[-6.0, 0, 0], [6.0, 0, 0]]))
    sampler = BatchThenSample(measure="gradient_norm", share=0.2, how="proportional", seed=1).sampler(
        learner, LOSS, CPU
    )
    whole, random = gradient(learner, batch), np.random.default_rng(2)

    def by_chance():
        picked = torch.from_numpy(random.integers(0, 60, 12))
        return Batch(batch.inputs[picked], batch.labels[picked], None)

    drawn = [((gradient(learner, sampler.chosen(batch, 0, number)) - whole) ** 2).sum() for number in range(500)]
    chance = [((gradient(learner, by_chance()) - whole) ** 2).sum() for _ in range(500)]
    assert np.mean(drawn) < 0.5 * np.mean(chance)


def test_the_largest_are_taken_as_they_are():
    """The rows of the greatest loss, each once; of weight 1, or their own."""
    for weights in (False, True):
        batch = batch_of(60, weights)
        learner = learner_of(batch)
        chosen = BatchThenSample(measure="loss", share=0.2, how="largest", seed=1).sampler(learner, LOSS, CPU)
        with torch.no_grad():
            losses = make_objective(LOSS, weighted=True)(learner.model(batch.inputs), batch.labels, None)
        counted = losses if batch.weights is None else losses * batch.weights
        greatest = counted.argsort(descending=True)[:12].sort().values
        found = chosen.chosen(batch, 0, 0)
        assert torch.equal(found.inputs, batch.inputs[greatest])
        assert (found.weights is None) is (batch.weights is None)


def test_scores_that_are_no_numbers_end_the_training():
    """In a sentence that says when, by what, and what to do."""
    batch = batch_of(60, False)
    learner = learner_of(batch)
    with torch.no_grad():
        learner.model.weight.fill_(torch.nan)
    sampler = BatchThenSample(measure="entropy", share=0.2, how="proportional", seed=1).sampler(learner, LOSS, CPU)
    with pytest.raises(
        TrainingError, match="batch 4 of epoch 3 cannot be drawn by entropy: .*nan.* Lower the learning"
    ):
        sampler.chosen(batch, 2, 3)


def test_a_batch_is_drawn_again_as_it_was():
    """By seed, epoch and number alone; each of them draws other rows."""
    batch = batch_of(60, False)
    learner = learner_of(batch)

    def drawn(seed, epoch, number):
        rule = BatchThenSample(measure="loss", share=0.2, how="proportional", seed=seed)
        return tuple(rule.sampler(learner, LOSS, CPU).chosen(batch, epoch, number).inputs[:, 0].tolist())

    assert drawn(1, 2, 3) == drawn(1, 2, 3)
    assert len({drawn(1, 2, 3), drawn(2, 2, 3), drawn(1, 3, 3), drawn(1, 2, 4)}) == 4

"""`training.precision`: models learn in 16 bits, too, and an interrupted training ends with the same bytes."""

from __future__ import annotations

import pytest

from shared.config.pipeline import Component, Scheduler
from tests.unit.training.samples import flights, job, model, run, stops_after, training
from workers.construction import FindingsError
from workers.going_on import Interrupted
from workers.inference import load_model_bytes
from workers.training.checkpoints import Checkpoints, job_fingerprint

HALVES = pytest.mark.parametrize("precision", ["bf16", "fp16"])


def a_job(folder, precision, **changes):
    """A training in this precision, with a schedule that steps every batch and clipped gradients."""
    schedule = Scheduler(name="ExponentialLR", config={"gamma": 0.99}, every="batch")
    fit = training(epochs=15, precision=precision, gradient_clip_norm=1.0, lr_scheduler=schedule, **changes)
    return job(folder, model=model("mlp", hidden=[16]), training=fit)


@HALVES
def test_a_model_learns(tmp_path, precision):
    """As well as in 32 bits, but not the same bytes: it was the arithmetic that was asked for."""
    trained = run(a_job(tmp_path, precision))
    predicted = load_model_bytes(trained.body).predict(flights().table).argmax(axis=1)
    assert (predicted == flights().table.column("label").to_numpy()).mean() > 0.9
    assert trained.body != run(a_job(tmp_path / "fp32", "fp32")).body


@HALVES
def test_an_interrupted_training_ends_with_the_same_bytes(tmp_path, precision):
    """Model, optimizer, schedule and scale are in the checkpoint."""
    whole = run(a_job(tmp_path / "whole", precision))
    cut = a_job(tmp_path / "cut", precision)
    for asked in (9, 14):
        with pytest.raises(Interrupted):
            run(cut, should_stop=stops_after(asked))
    assert run(cut).body == whole.body


def test_a_checkpoint_holds_the_scale(tmp_path):
    """The scaler goes on counting the steps after which it would raise the scale."""
    cut = a_job(tmp_path, "fp16")
    with pytest.raises(Interrupted):
        run(cut, should_stop=stops_after(12))
    newest = Checkpoints(cut.workspace.checkpoint_folder, fingerprint=job_fingerprint(cut), keep=1).newest()
    state = newest.learner["arithmetic"]
    assert (state["scale"] > 1, state["_growth_tracker"] > 0) == (True, True), state


def test_an_optimizer_that_cannot_be_scaled_is_refused(tmp_path):
    """With the key, and what to write instead."""
    with pytest.raises(FindingsError) as refused:
        run(a_job(tmp_path, "fp16", optimizer=Component(name="LBFGS", config={})))
    (finding,) = refused.value.findings
    assert (finding.path, "write bf16" in finding.sentence) == ("training.precision", True)

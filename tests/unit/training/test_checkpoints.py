"""Checkpoints: the newest that is whole and belongs to the training is gone on from."""

from __future__ import annotations

import hashlib
import io

import pytest
import torch

from tests.unit.training.samples import flights, job, model, run, stops_after, training
from workers.going_on import Interrupted
from workers.training.checkpoints import Checkpoint, Checkpoints, job_fingerprint


def checkpoints(folder, *, mark="job", keep=3):
    return Checkpoints(str(folder), fingerprint=mark, keep=keep)


def save(store, batch):
    learner = {"model": {"weight": torch.full((3,), float(batch))}}
    store.save(Checkpoint(learner=learner, epoch=1, batch=batch, loss_total=0.5, loss_rows=3, spent_s=1.0))


def test_the_newest_is_the_furthest(tmp_path):
    """Batch 10 is newer than batch 9, whatever the order of writing."""
    store = checkpoints(tmp_path)
    for batch in (9, 10, 2):
        save(store, batch)
    assert store.newest().batch == 10


def test_only_the_newest_are_kept(tmp_path):
    """Older ones go, and no temporary file stays."""
    store = checkpoints(tmp_path, keep=2)
    for batch in range(5):
        save(store, batch)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "epoch-000001-batch-000000003.ckpt",
        "epoch-000001-batch-000000004.ckpt",
    ]


def test_without_any_there_is_none(tmp_path):
    """A folder that does not exist yet holds no checkpoint."""
    assert checkpoints(tmp_path / "none").newest() is None


@pytest.mark.parametrize("damage", ["torn", "flipped", "empty"])
def test_a_damaged_one_is_skipped(tmp_path, damage):
    """A torn, altered or empty checkpoint gives way to the one before it."""
    store = checkpoints(tmp_path)
    save(store, 1)
    save(store, 2)
    newest = max(tmp_path.iterdir())
    body = bytearray(newest.read_bytes())
    body[len(body) // 2] ^= 1
    newest.write_bytes({"torn": body[: len(body) // 2], "flipped": body, "empty": b""}[damage])
    assert store.newest().batch == 1


def test_another_trainings_checkpoint_is_ignored(tmp_path):
    """A checkpoint with another fingerprint is not gone on from."""
    save(checkpoints(tmp_path, mark="other job"), 4)
    assert checkpoints(tmp_path).newest() is None


def test_one_of_another_version_is_skipped(tmp_path):
    """What has not all that a training needs, or more, gives way to the one before it."""
    store = checkpoints(tmp_path)
    save(store, 1)
    for batch, fields in ((2, {"epoch": 1, "batch": 2}), (3, {"ema": {}, **vars(store.newest())})):
        buffer = io.BytesIO()
        torch.save({**fields, "fingerprint": "job"}, buffer)
        body = hashlib.sha256(buffer.getvalue()).digest() + buffer.getvalue()
        (tmp_path / f"epoch-000001-batch-00000000{batch}.ckpt").write_bytes(body)
    assert store.newest().batch == 1


def test_the_fingerprint_knows_the_job(tmp_path):
    """Rows, weights, seed, configuration and starting point all count; where files lie does not."""
    plain = job(tmp_path)
    others = [
        job(tmp_path, flights(rows=199)),
        job(tmp_path, weights=plain.rows.weights() * 2),
        job(tmp_path, seed=8),
        job(tmp_path, model=model("mlp")),
        job(tmp_path, training=training(batch_size=16)),
        job(tmp_path, previous=b"weights"),
    ]
    assert len({job_fingerprint(one) for one in [plain, *others]}) == len(others) + 1
    assert job_fingerprint(job(tmp_path / "elsewhere")) == job_fingerprint(plain)


def test_a_training_goes_past_a_damaged_checkpoint(tmp_path):
    """With its newest checkpoint torn, the training resumes from the one before and ends with the same bytes."""
    whole = run(job(tmp_path / "whole"))
    fit = training(checkpoint_every_s=1e9)
    for asked in (6, 4):  # the second stop comes three batches behind the first
        with pytest.raises(Interrupted):
            run(job(tmp_path / "cut", training=fit), should_stop=stops_after(asked))
    newest = max((tmp_path / "cut" / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-10])
    assert run(job(tmp_path / "cut", training=fit)).body == whole.body

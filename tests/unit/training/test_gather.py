"""One model of several members."""

from __future__ import annotations

import pytest
import torch

from shared.errors import ArtifactError, TrainingError
from tests.unit.training.samples import digits, flights, job, model, run, training
from workers.inference import load_model_bytes
from workers.models.model_file import pack_tensors
from workers.training.gather import average


def member(**tensors):
    return pack_tensors({name: torch.tensor(values) for name, values in tensors.items()}, {"modyn": "same"})


def test_one_member_is_the_model():
    """A single member comes back to the byte, whatever it is."""
    assert average([b"any bytes"]) == b"any bytes"


def test_weights_are_averaged_and_counts_kept():
    """Floating tensors are the mean; whole numbers are the first member's."""
    assert average([member(w=[1.0, 2.0], n=[3]), member(w=[2.0, 4.0], n=[9])]) == member(w=[1.5, 3.0], n=[3])


def test_the_mean_is_taken_in_float64():
    """Many small numbers beside a large one are not lost."""
    members = [member(w=[1.0])] + [member(w=[2.0**-24])] * 3
    assert average(members) == member(w=[(1 + 3 * 2.0**-24) / 4])


def test_the_model_of_two_members_predicts(tmp_path):
    """Members of one training, batch normalisation included, become a model that loads."""
    small = digits(rows=6, shape=(3, 8, 8))
    fit = training(epochs=1, batch_size=3)
    members = [run(job(tmp_path / str(s), small, model=model("resnet18"), training=fit, seed=s)).body for s in (1, 2)]
    assert load_model_bytes(average(members)).predict(small.table).shape == (6, 2)


@pytest.mark.parametrize("other", [member(w=[1.0]), member(v=[1.0, 2.0]), member(w=[1, 2])])
def test_members_that_differ_are_refused(other):
    """Another shape, name or type is not averaged away."""
    with pytest.raises(TrainingError, match="Member 1 is not the same model as member 0: [vw] differs"):
        average([member(w=[1.0, 2.0]), other])


def test_members_of_other_features_are_refused(tmp_path):
    """Equal shapes are not enough: the columns must be the same."""
    table = flights().table.rename_columns(["speed", "delay", "origin", "label"])
    other = run(job(tmp_path / "b", type(flights())(table))).body
    with pytest.raises(TrainingError, match="different features"):
        average([run(job(tmp_path / "a")).body, other])


def test_bytes_that_are_no_model_are_refused():
    """Rubbish is called rubbish."""
    with pytest.raises(ArtifactError, match="not a model"):
        average([b"rubbish!" * 3, b"rubbish!" * 3])

"""Using a trained model: from its directory, from its bytes, over a dataset."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
import torch
from workplace import PROJECT, environment

from shared.config.pipeline import Component
from shared.errors import ArtifactError, DataError
from shared.targets.directory import DirectoryTarget
from shared.targets.target import Candidate
from tests.unit.training.memory_dataset import MemoryDataset
from tests.unit.training.samples import flights, job, model, prices, run, training
from workers.inference import load_model, load_model_bytes
from workers.models.model_file import pack_tensors


def deploy(folder, body, name="model.safetensors"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(body)
    (folder / "model.json").write_text(json.dumps({"object": name, "sha256": hashlib.sha256(body).hexdigest()}))
    return folder


def test_a_deployed_model_predicts_what_the_trained_one_does(tmp_path):
    """model.json and one object are all that is needed."""
    body = run(job(tmp_path)).body
    loaded = load_model(deploy(tmp_path / "deployed", body))
    predicted = loaded.predict(flights().table)
    assert predicted.shape == (200, 2)
    assert np.array_equal(predicted, load_model_bytes(body).predict(flights().table))


def test_a_changed_object_is_refused(tmp_path):
    """An object that does not hash to what model.json says is not loaded."""
    folder = deploy(tmp_path / "deployed", run(job(tmp_path)).body)
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ArtifactError, match="SHA-256"):
        load_model(folder)


@pytest.mark.parametrize("record", [None, "{", "{}", "[]"])
def test_a_directory_without_a_model_is_refused(tmp_path, record):
    """No model.json, a broken one or one that names nothing end in a sentence."""
    if record is not None:
        (tmp_path / "model.json").write_text(record)
    with pytest.raises(ArtifactError, match=r"model\.json"):
        load_model(tmp_path)


def test_weights_alone_cannot_predict():
    """Somebody else's safetensors have no features and no classes."""
    with pytest.raises(ArtifactError, match="without a description"):
        load_model_bytes(pack_tensors({"w": torch.zeros(2)}, {}))


def test_loading_draws_no_random_numbers(tmp_path):
    """Whoever loads a model keeps his random state."""
    body = run(job(tmp_path)).body
    before = torch.get_rng_state()
    load_model_bytes(body)
    assert torch.equal(torch.get_rng_state(), before)


def test_models_that_encode_alike_say_so(tmp_path):
    """The same columns standardised in the same way; another training set gives another encoding."""
    first, second = (load_model_bytes(run(job(tmp_path / name, seed=n)).body) for n, name in enumerate("ab"))
    other = load_model_bytes(run(job(tmp_path / "c", flights(seed=5))).body)
    assert first.encoding == second.encoding != other.encoding
    table, keys = flights().table, np.arange(200)
    assert torch.equal(first.encode(table, keys), second.encode(table, keys))
    assert np.array_equal(first.predict_encoded(second.encode(table, keys)).read(), first.predict(table))
    assert first.labels(table, "label", keys).tolist() == table.column("label").to_pylist()


def test_what_is_learned_is_known(tmp_path):
    """A loaded model says its task and its classes."""
    fit = training(loss=Component(name="L1Loss", config={}))
    regression = load_model_bytes(run(job(tmp_path / "a", prices(), model=model(num_classes=1), training=fit)).body)
    classification = load_model_bytes(run(job(tmp_path / "b")).body)
    assert (regression.task, regression.classes) == ("regression", None)
    assert (classification.task, classification.classes) == ("classification", 2)


def test_errors_name_keys_of_the_dataset(tmp_path):
    """The first row of a table has the key it is given."""
    loaded = load_model_bytes(run(job(tmp_path, MemoryDataset(flights().table, features="refuse"))).body)
    bad = pa.table({"wind": [0.0, None], "delay": [0.0, 0.0], "origin": ["JFK", "JFK"]})
    with pytest.raises(DataError, match=r"'wind' is null at key 501[^.]*\.$"):  # no word of a manifest to remove
        loaded.predict(bad, first_key=500)


def test_a_null_is_filled_in_as_in_training(tmp_path):
    """A model takes a null for the mean of what its encoder was fitted on, and a null text for an unknown one."""
    loaded = load_model_bytes(run(job(tmp_path)).body)
    wind = flights().table.column("wind").to_numpy().mean()
    rows = {"wind": [None, wind, float("nan")], "delay": [0.0] * 3, "origin": ["JFK"] * 3}
    null, mean, nan = loaded.predict(pa.table(rows))
    assert null == pytest.approx(mean)
    assert (null == nan).all()
    texts = {"wind": [0.0] * 2, "delay": [0.0] * 2, "origin": [None, "never seen"]}
    null, unknown = loaded.predict(pa.table(texts))
    assert (null == unknown).all()


def test_a_model_says_what_it_is(tmp_path):
    """At a prompt: what it learned, what it reads and, from beside its model.json, who it is."""
    text = repr(load_model_bytes(run(job(tmp_path)).body))
    assert text == "<model: logistic, 2 classes (0, 1), reads wind, delay, origin>"
    fit = training(loss=Component(name="L1Loss", config={}))
    body = run(job(tmp_path / "a", prices(), model=model(num_classes=1), training=fit)).body
    target = DirectoryTarget(tmp_path / "deployed")
    named = Candidate(run="a", trigger=7, attempt="1-a", pipeline="sales", model="logistic", body=body)
    assert target.switch(named, None, "")
    target.show()
    loaded = load_model(tmp_path / "deployed")
    assert loaded.record["trigger"] == 7
    begins = "<model 7 of sales: logistic, estimates numbers, reads size; deployed 20"
    assert repr(loaded).startswith(begins)
    assert repr(loaded.knowing(None)) == repr(loaded.reading(prices().config)) == repr(loaded)


def test_no_rows_no_predictions(tmp_path):
    """An empty table is not an error."""
    assert load_model_bytes(run(job(tmp_path)).body).predict(flights().table.slice(0, 0)).shape == (0, 2)


def test_rows_in_read_only_memory_are_scored(tmp_path):
    """Rows that Arrow lends are as good as rows of one's own."""
    loaded = load_model_bytes(run(job(tmp_path)).body)
    rows = loaded.encoder.encode(flights().table, np.arange(200))
    rows.flags.writeable = False
    assert np.array_equal(loaded.scores(rows), loaded.predict(flights().table))


_READER = """
import os, signal, sys
from workers.inference import load_model

stops = 2

def hook(event, arguments):
    global stops
    if event == "open" and str(arguments[0]).endswith("model.safetensors") and stops:
        stops -= 1
        os.kill(os.getpid(), signal.SIGSTOP)

sys.addaudithook(hook)
sys.stdout.write(str(load_model(sys.argv[1]).header.outputs))
"""


def test_a_reader_that_is_overtaken_again_and_again_looks_again(tmp_path):
    """It stands still between model.json and the object that this names, while newer models take its place, twice."""
    body = run(job(tmp_path)).body
    target = DirectoryTarget(tmp_path / "deployed")
    triggers = iter(range(9))

    def deploy_another():
        one = Candidate(run="a", trigger=next(triggers), attempt="1-a", pipeline="p", model="m", body=body)
        assert target.switch(one, target.held(), "")

    deploy_another()
    command = [sys.executable, "-c", _READER, str(tmp_path / "deployed")]
    with subprocess.Popen(command, cwd=PROJECT, env=environment(), stdout=subprocess.PIPE, text=True) as reader:
        for _ in range(2):
            assert os.WIFSTOPPED(os.waitpid(reader.pid, os.WUNTRACED)[1])
            deploy_another()
            deploy_another()
            reader.send_signal(signal.SIGCONT)
        assert reader.communicate(timeout=60)[0] == "2"
        assert reader.returncode == 0


def test_an_object_that_is_gone_is_said(tmp_path):
    """Nothing newer is there: looking again would not help."""
    folder = deploy(tmp_path / "deployed", run(job(tmp_path)).body)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ArtifactError, match=r"model\.safetensors cannot be read"):
        load_model(folder)

"""Small datasets, configurations and jobs that the tests of training share."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from shared.config.pipeline import (
    Component,
    Data,
    Evaluation,
    Identity,
    Logging,
    Metric,
    Model,
    Pipeline,
    Split,
    Training,
    TrainingStrategy,
    Trigger,
    UntilNextTrigger,
    Window,
)
from shared.config.system import ImageColumn
from tests.unit.training.memory_dataset import MemoryDataset
from workers.training.chosen_rows import TrainingRows
from workers.training.job import TrainingJob, Workspace
from workers.training.train import train


def flights(rows=200, seed=0):
    """Two numbers and a text; the label is learnable from all three."""
    random = np.random.default_rng(seed)
    wind, delay = random.normal(3, 2, rows), random.normal(-1, 4, rows)
    origin = random.choice(["EWR", "JFK", "LGA"], rows)
    label = (wind + delay + 3 * (origin == "JFK") > 3).astype(np.int64)
    return MemoryDataset(pa.table({"wind": wind, "delay": delay, "origin": origin, "label": label}))


def prices(rows=100):
    """One number, and a number that depends on it as label."""
    size = np.random.default_rng(1).normal(0, 1, rows)
    return MemoryDataset(pa.table({"size": size, "label": 2 * size + 1}))


def digits(rows=40, shape=(1, 8, 8)):
    """Images that are bright or dark, as binary; the label says which."""
    random = np.random.default_rng(2)
    label = random.integers(0, 2, rows)
    pixels = (
        random.integers(0, 100, (rows, *shape)).astype(np.uint8) + (label * 120).astype(np.uint8)[:, None, None, None]
    )
    images = pa.array([image.tobytes() for image in pixels], pa.binary())
    table = pa.table({"picture": images, "label": label})
    return MemoryDataset(table, image=ImageColumn(column="picture", shape=shape))


def names(rows=80):
    """Names that end in a for one class and in o for the other."""
    texts = ["maria", "paolo", "anna", "bruno"] * (rows // 4)
    return MemoryDataset(pa.table({"name": texts, "label": [0, 1] * (rows // 2)}), text="name")


def model(id="logistic", pretrained_uri=None, **config):
    """`model:` of pipeline.yaml; two classes unless said otherwise."""
    return Model(id=id, framework="pytorch", config={"num_classes": 2} | config, pretrained_uri=pretrained_uri)


def training(**changes):
    """`training:` of pipeline.yaml."""
    settings = {
        "distribution": "single",
        "workers": 1,
        "gather": "average",
        "device": "cpu",
        "use_previous_model": True,
        "epochs": 3,
        "batch_size": 32,
        "optimizer": Component(name="Adam", config={"lr": 0.05}),
        "lr_scheduler": None,
        "loss": Component(name="CrossEntropyLoss", config={}),
        "precision": "fp32",
        "gradient_clip_norm": None,
        "checkpoint_every_s": 1e9,
        "seed": 0,
        "threads": 1,
        "attempts": 5,
        "stall_after_s": 600.0,
        "on_failure": "stop",
        "backlog": "queue",
        "max_in_flight": 1,
    }
    return Training(**settings | changes)


DATA = Data(dataset="flights", split=Split(test=0.0, validation=0.0, by=None))


class Listed:
    """A training set in memory, given piece by piece."""

    def __init__(self, keys, weights, rows_a_piece):
        self.rows, self.all_weigh_one = len(keys), bool((weights == 1).all())
        self._keys, self._weights, self._rows_a_piece = keys, weights, rows_a_piece

    def pieces(self):
        """Of so many rows."""
        for start in range(0, self.rows, self._rows_a_piece):
            some = slice(start, start + self._rows_a_piece)
            yield self._keys[some], self._weights[some]


def job(folder, dataset=None, **changes):
    """A training of a logistic model on the flights; `folder` takes checkpoints and scratch files."""
    dataset = dataset or flights()
    keys = changes.pop("keys", np.arange(dataset.rows))
    weights = changes.pop("weights", np.ones(len(keys), dtype=np.float32))
    chosen = Listed(keys, weights, changes.pop("rows_a_piece", 2**20))
    workspace = {
        "checkpoint_folder": str(folder / "checkpoints"),
        "checkpoints_kept": 2,
        "scratch_folder": folder / "scratch",
        "report_every_batches": 2,
        "report_every_s": 0.0,
    }
    given = {name: changes.pop(name) for name in workspace if name in changes}
    settings = {
        "model": model(),
        "training": training(),
        "data": DATA,
        "rows": TrainingRows(dataset=dataset, chosen=chosen),
        "previous": None,
        "seed": 7,
        "device": "cpu",
        "trusted_modules": (),
        "workspace": Workspace(**workspace | given),
    }
    return TrainingJob(**settings | changes)


def run(job, report=lambda progress: None, should_stop=lambda: False):
    """Train without anybody watching."""
    return train(job, report=report, should_stop=should_stop)


def stops_after(asked):
    """A `should_stop` that says yes when it was asked so many times."""
    answers = iter([False] * (asked - 1))
    return lambda: next(answers, True)


def pipeline(model=None, training_=None, metrics=("accuracy",)):
    """A pipeline around a model and a training."""
    measured = tuple(Metric(name=name, label=name, options={}) for name in metrics)
    window = Window(name="next", extent=UntilNextTrigger(), split=None)
    return Pipeline(
        pipeline=Identity(name="flights", version=1, description=""),
        model=model or globals()["model"](),
        training=training_ or training(),
        data=DATA,
        trigger=Trigger(name="data_amount", options={"every": 10}),
        strategy=TrainingStrategy(name="new_data", options={"tail": 0}),
        initial_mode="replay",
        evaluation=Evaluation(device="auto", metrics=measured, newest=None, on=(window,)),
        deployment=None,
        logging=Logging(level="info", to=("terminal",), metrics_every_batches=50),
    )

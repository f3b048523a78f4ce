"""Labels that are texts: a run over them is the run over the same labels numbered by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from running import Running, workers
from workplace import Workplace, table

from workers.inference import load_model
from workers.models.model_file import unpack

NAMES = ("late ", "on time", "Ärger", "cancelled")  # two from the first row on, one from key 700, one from key 1,300


def with_labels(workplace: Workplace, names: tuple[Any, ...]) -> Workplace:
    """2,000 rows whose classes are called so."""
    labels = table(2_000).column("label").to_numpy().copy()
    labels[700::7] = 2
    labels[1_300::9] = 3
    for number in range(2):
        first = 1_000 * number
        column = pa.array([names[one] for one in labels[first : first + 1_000]])
        rows = table(1_000, first).drop_columns("label").append_column("label", column)
        pq.write_table(rows, workplace.folder / "data" / f"part-{number}.parquet")
    workplace.pipeline["model"]["config"] = {"num_classes": 4}
    workplace.pipeline["evaluation"]["metrics"] = ["accuracy", "f1", "log_loss"]
    workplace.pipeline["deployment"]["gate"] |= {"at_least": 0.2, "not_worse_by": 0.9}
    return workplace


def test_a_run_over_texts_is_the_run_over_numbers(small: Workplace, fleet_url: str, tmp_path: Path) -> None:
    """With two workers that evaluate, a supervisor killed on the way, and classes that come late: the same weights,
    scores, baselines and decisions. Their names stand in summary, model.json and the deployed model.
    """
    (tmp_path / "by-hand").mkdir()
    by_hand = with_labels(Workplace.small(tmp_path / "by-hand"), (0, 1, 2, 3)).use_fleet(fleet_url)
    done = by_hand.run("--experiment-mode")
    assert done.returncode == 0, done.stderr
    with_labels(small, NAMES).use_fleet(fleet_url).write()
    with workers(small, "evaluate"):  # beside the one that is there
        with Running.pipeline(small, "--experiment-mode") as run:
            run.wait_for("trigger 0: the classes are 'late ', 'on time'")
            run.wait_for("trigger 1: new class 'Ärger', number 2")
            run.wait_for("model 1 committed")
            run.process.kill()
            run.wait()
        done = small.run("--resume")
        assert done.returncode == 0, done.stderr
    assert small.evaluations() == by_hand.evaluations()
    told, expected = small.summary(), by_hand.summary()
    for key in ("composite", "deployed_composite", "baselines", "deployed"):
        assert told[key] == expected[key], key
    assert (told["classes"], expected["classes"]) == (list(NAMES), None)
    for number, known in enumerate((2, 3, 4, 4)):
        folders = [place.run_dir / "models" / str(number) for place in (small, by_hand)]
        described, by_number = (json.loads((folder / "model.json").read_text()) for folder in folders)
        assert (described["classes"], "classes" in by_number) == (list(NAMES[:known]), False)
        texts, numbers = (unpack((folder / "model.safetensors").read_bytes()).weights for folder in folders)
        assert all(torch.equal(texts[name], one) for name, one in numbers.items())
    deployed = small.run_dir / "deployed" / "deployed"
    assert json.loads((deployed / "model.json").read_text())["classes"] == list(NAMES)
    model = load_model(str(deployed))
    assert model.class_names == NAMES
    assert set(model.predict_labels(table(50))) <= set(NAMES)

"""Other packages bring what is chosen by a name: the modules of docs/extending.md, built, installed and run."""

from __future__ import annotations

import csv
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyarrow import feather
from workplace import PROJECT, Workplace, environment

PAGE = PROJECT / "docs" / "extending.md"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's package in it, as pip installs it."""
    source, place = tmp_path_factory.mktemp("package"), tmp_path_factory.mktemp("installed")
    blocks = re.findall(r"```(?:python|toml)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    modules = {block.split()[1]: block for block in blocks if re.match(r"# \w+\.py\n", block)}
    assert len(modules) == 5
    for name, block in modules.items():
        (source / name).write_text(block, encoding="utf-8")
    (entry_points,) = (block for block in blocks if "entry-points" in block)
    head = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    head += '[project]\nname = "every-other"\nversion = "1"\n'
    tail = f"[tool.setuptools]\npy-modules = {[name.removesuffix('.py') for name in modules]}\n"
    (source / "pyproject.toml").write_text(head + entry_points + tail, encoding="utf-8")
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", place, source], check=True)
    return place


def run(small: Workplace, place: Path | None, *options: str) -> subprocess.CompletedProcess[str]:
    """Replay the workplace's stream, with what is installed there."""
    small.pipeline["trigger"] = {"policy": "every_other", "every": 250}
    small.pipeline["strategy"] = {"name": "every_third", "n": 3}
    small.write()
    files = (str(small.folder / "pipeline.yaml"), str(small.folder / "config.yaml"))
    command = small.command("run", *files, "--run-dir", str(small.run_dir), "--experiment-mode", *options)
    path = environment()["PYTHONPATH"] if place is None else f"{environment()['PYTHONPATH']}{os.pathsep}{place}"
    asked = {"capture_output": True, "text": True, "timeout": 110, "cwd": PROJECT}
    return subprocess.run(command, check=False, env={**environment(), "PYTHONPATH": path}, **asked)


def test_a_package_beside_us_works_from_yaml(small: Workplace, installed: Path) -> None:
    """Format, policy, strategy, metric and target of its own, and nothing here had to change."""
    for file in sorted((small.folder / "data").iterdir()):
        feather.write_feather(pq.read_table(file), f"{file}.feather")
        file.unlink()
    small.config["storage"]["datasets"]["rows"]["uri"] = "data"
    small.pipeline["evaluation"]["metrics"] += ["error_rate"]
    small.pipeline["deployment"]["targets"] = [{"kind": "one_database", "uri": "models.db"}]
    done = run(small, installed, "--deploy")
    assert done.returncode == 0, done.stderr
    triggers = small.summary()["trigger_list"]
    assert [trigger["key"] for trigger in triggers] == [499, 999, 1499, 1999]
    for trigger in triggers:
        selected = pq.read_table(small.run_dir / "training_sets" / f"{trigger['id']}.parquet")
        keys = selected["key"].to_pylist()
        assert keys
        assert all(key % 3 == 0 and trigger["key"] - 500 < key <= trigger["key"] for key in keys)
    assert_measured(small)
    assert_deployed(small)


def assert_measured(small: Workplace) -> None:
    """Of every model on every window, what is right and what is wrong are all rows."""
    scores: dict[tuple[str, ...], dict[str, float]] = {}
    with (small.run_dir / "evaluations.csv").open() as lines:
        for line in csv.DictReader(lines):
            if line["value"]:
                where = (line["trigger"], line["window"], line["slice"])
                scores.setdefault(where, {})[line["metric"]] = float(line["value"])
    assert len(scores) > 4
    for told in scores.values():
        assert told["error_rate"] == pytest.approx(1 - told["accuracy"])


def assert_deployed(small: Workplace) -> None:
    """The database has the bytes of the models that the run says it deployed, and its decisions in their order."""
    with closing(sqlite3.connect(small.folder / "models.db")) as database:
        rows = database.execute("select record, model from decisions order by number").fetchall()
    deployed = [trigger["id"] for trigger in small.summary()["trigger_list"] if trigger["deployed"]]
    assert [json.loads(record)["trigger"] for record, _ in rows] == deployed != []
    for number, (_, model) in zip(deployed, rows, strict=True):
        assert model == (small.run_dir / f"models/{number}/model.safetensors").read_bytes()


def test_without_it_the_name_is_unknown(small: Workplace) -> None:
    """As any other word would be."""
    done = run(small, None)
    assert done.returncode == 2
    assert "trigger.policy: 'every_other' is unknown" in done.stderr


def test_one_that_cannot_be_imported_is_named(small: Workplace, installed: Path, tmp_path: Path) -> None:
    """With its package, and what Python said; no traceback."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "every_other.py").write_text("import no_such_module\n")
    (broken / "every_third.py").write_text("EveryThird = object()\n")
    done = run(small, Path(f"{broken}{os.pathsep}{installed}"))
    assert done.returncode == 2
    assert "of every-other) cannot be imported: ModuleNotFoundError: No module named 'no_such_module'" in done.stderr
    assert "every_third:EveryThird of every-other) is a value of type object, not a class." in done.stderr
    assert "Traceback" not in done.stderr


POLICY = """
from shared.config import fields as f
from supervisor.triggers.policy import Decision, Observation, TriggerPolicy

class EveryOther(TriggerPolicy):
    class Schema(f.Group):
        every = f.Whole("", required=True)

    def __init__(self, options, start):
        self.every = options["every"]

    def observe(self, batch, state):
        {observe}
        key = batch.first_key + self.every - 1
        if key >= batch.stop_key:
            return Observation(state=state)
        return Observation(state=state, decision=Decision(key=key, timestamp_us=0, reason=""), seen_key=key)
"""
STRATEGY = """
import numpy as np
from shared.config import fields as f
from shared.strategies.strategy import Strategy

class EveryThird(Strategy):
    class Schema(f.Group):
        n = f.Whole("", load_default=3)

    def select(self, request, state, model):
        keys = np.concatenate(list(request.rows(None)))
        {choose}
        return iter([(keys, np.ones(len(keys), np.float32))]), state
"""


@pytest.mark.parametrize(
    ("observe", "choose", "told"),
    [
        ("raise ValueError('of my own')", "pass", "trigger policy every_other raised ValueError: of my own"),
        ("pass", "keys = keys + 50", "rows that are not for training here, the first is key"),
        ("pass", "list(request.rows(2))", "request.rows(2) is asked for; it takes None, or 1 to earlier_triggers, 1"),
    ],
)
def test_one_that_goes_wrong_ends_the_run_with_its_name(
    small: Workplace, installed: Path, tmp_path: Path, observe: str, choose: str, told: str
) -> None:
    """What it raises, or chooses against the rules, is told and recorded; no traceback, no model of it."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "every_other.py").write_text(POLICY.format(observe=observe))
    (broken / "every_third.py").write_text(STRATEGY.format(choose=choose))
    done = run(small, Path(f"{broken}{os.pathsep}{installed}"))
    assert (done.returncode, small.summary()["status"]) == (1, "failed"), done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    journal = (small.run_dir / "journal.jsonl").read_text().splitlines()
    (ended,) = (json.loads(line) for line in journal if '"event":"ended"' in line)
    assert told in ended["reason"]
    assert not list((small.run_dir / "models").glob("*"))

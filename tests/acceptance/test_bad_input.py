"""Bad input from the command line: a clear sentence, the right exit code, nothing left running or half-written."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from left_behind import assert_nothing_runs, assert_refused
from running import Running
from workplace import PROJECT, Workplace, environment, table

MODELS = [f"models/{number}/model.safetensors" for number in range(4)]


@pytest.fixture(autouse=True)
def _named(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a command starts can be told by the test's folder in its environment."""
    monkeypatch.setenv("MODYN_TEST_FOLDER", str(small.folder))


def command(small: Workplace, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in the workplace's folder."""
    return subprocess.run(
        small.command(*words), check=False, capture_output=True, text=True, timeout=100, cwd=small.folder,
        env=environment(),
    )  # fmt: skip


def change(values: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path; numbers are places in a list."""
    *groups, key = path.split(".")
    for group in groups:
        values = values[int(group)] if isinstance(values, list) else values.setdefault(group, {})
    values[key] = value


# --- exit 2: configuration and usage


@pytest.mark.parametrize("missing", ["pipeline.yaml", "config.yaml"])
def test_a_missing_file(small: Workplace, missing: str) -> None:
    """The path that is not there is named."""
    small.write()
    (small.folder / missing).unlink()
    assert_refused(command(small, "pipeline.yaml", "config.yaml"), small, 2, f"{missing}: there is no such file")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("model: [mlp", "pipeline.yaml:"),
        ("model:\n\tid: mlp", "pipeline.yaml:2:1: is not YAML"),
        ("model: &a [*a]", "holds an anchor inside itself"),
        ("", "pipeline.yaml:1: holds no `key: value` pairs"),
        ("\0", "pipeline.yaml:1: is not YAML"),
    ],
)
def test_broken_yaml(small: Workplace, text: str, told: str) -> None:
    """What cannot be read as YAML is told with its place."""
    small.write()
    (small.folder / "pipeline.yaml").write_text(text)
    assert_refused(command(small, "pipeline.yaml", "config.yaml"), small, 2, told)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("training.epochs", "two", "training.epochs: 'two' is not a whole number"),
        ("training", [1], "training: [1] is not a group of keys"),
        ("training.batchsize", 5, "training.batchsize: is not a key here; did you mean batch_size?"),
        ("model.id", "resnet19", "model.id: 'resnet19' is unknown; did you mean resnet"),
        ("evaluation.metrics", ["acuracy"], "evaluation.metrics.0: 'acuracy' is unknown; did you mean accuracy?"),
        ("trigger.policy", "data_amont", "trigger.policy: 'data_amont' is unknown; did you mean data_amount?"),
        ("strategy.name", "newdata", "strategy.name: 'newdata' is unknown; did you mean new_data?"),
        ("trigger.every", 0, "trigger.every: 0 is not a whole number of at least 1."),
        ("trigger.every", -5, "trigger.every: -5 is not a whole number of at least 1."),
        ("trigger.every", True, "trigger.every: True is not a whole number of at least 1."),
        ("training.gradient_clip_norm", 0, "training.gradient_clip_norm: 0 is not a number above zero."),
        ("data.split.test", -0.1, "data.split.test: -0.1 is not a number of at least 0 and below 1."),
        ("training.epochs", 10**30, "training.epochs: 1000000000000000000000000000000 is too large"),
        ("training.optimizer.config.lr", float("inf"), "training.optimizer.config.lr: inf is not a finite number."),
        ("data.dataset", "nowhere", "data.dataset: nowhere is not in storage.datasets; known: rows."),
        ("initial_mode", "ignore", "initial_mode: ignore cannot be used with --experiment-mode; write"),
        ("deployment.gate.on", "next", "deployment.gate.on: next does not end at the watermark; a gate needs"),
        ("deployment.gate.on", "months", "deployment.gate.on: months does not end at the watermark; a gate needs"),
    ],
)
def test_a_wrong_value_in_the_pipeline(small: Workplace, path: str, value: object, told: str) -> None:
    """File, line, key and value are named, and what would be right."""
    change(small.pipeline, path, value)
    done = small.run("--experiment-mode")
    assert_refused(done, small, 2, told)
    where, line = done.stderr.removeprefix("error: ").split(":")[:2]
    written = (small.folder / where).read_text().splitlines()
    key = path.rsplit(".", 1)[-1]
    assert key in written[int(line) - 1] or "acuracy" in written[int(line) - 1]


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("fleet.train", -1, "fleet.train: -1 is not a whole number of at least 0."),
        ("leas", "5s", "leas: is not a key here; did you mean lease?"),
        ("lease", "0s", "lease: '0s' is too short"),
        ("storage.datasets.rows.features", ["x0", "label"], "features: label is the label; a model must not see it."),
        ("broker.url", "amqp://me:s3cret@host", "broker.url: 'amqp' is no broker; write embedded"),
        ("broker.url", "redis://:${NO_SUCH_SECRET}@host", "broker.url: the environment has no NO_SUCH_SECRET"),
    ],
)
def test_a_wrong_value_in_the_system(small: Workplace, path: str, value: object, told: str) -> None:
    """config.yaml is told on like pipeline.yaml, without its secrets."""
    change(small.config, path, value)
    done = small.run("--experiment-mode")
    assert_refused(done, small, 2, "config.yaml:", told)
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("pipeline.yaml config.yaml --maximum-triggers 0", "--maximum-triggers 0 is not a whole number of at least 1"),
        ("pipeline.yaml config.yaml --deploy", "--deploy goes with --experiment-mode"),
        ("pipeline.yaml config.yaml --maximum-triggers many", "--maximum-triggers"),
        ("pipeline.yaml config.yaml --experiment-mode --start-replay-at soon", "--start-replay-at soon is not a time"),
        ("pipeline.yaml config.yaml --experiment-mode --stop-replay-at 99999-01-01", "--stop-replay-at 99999-01-01 is"),
        (
            "pipeline.yaml config.yaml --experiment-mode --start-replay-at 1970-02-01 --stop-replay-at 1970-01-01",
            "--stop-replay-at must be later than --start-replay-at",
        ),
        ("pipeline.yaml config.yaml --start-replay-at 1970-01-03", "go with --experiment-mode"),
        ("pipeline.yaml config.yaml --resume", "--resume needs --run-dir"),
        ("pipeline.yaml config.yaml --resume --run-dir nowhere", "nowhere holds no run"),
        ("pipeline.yaml config.yaml --run-dir config.yaml", "config.yaml is a file"),
        ("pipeline.yaml config.yaml --run-dir data", "data is not empty"),
        ("pipeline.yaml config.yaml --log-format xml", "--log-format"),
        ("pipeline.yaml config.yaml --nonsense", "--nonsense"),
        ("pipeline.yaml", "CONFIG"),
        ("stop nowhere", "nowhere holds no run"),
        ("stop config.yaml/x", "x holds no run"),
        ("stop " + "x" * 300, "cannot be stopped: File name too long"),
        ("runs nowhere.yaml", "nowhere.yaml: there is no such file"),
        (
            "runs pipeline.yaml",
            "pipeline.yaml says what to learn, and this command wants the file that says on what system",
        ),
        ("worker config.yaml", "--role"),
        ("worker config.yaml --role cook", "cook"),
        ("worker config.yaml --role train --device gpu", "--device gpu is unknown; write auto, cpu, cuda or cuda:0"),
        ("validate pipeline.yaml config.yaml/x", "config.yaml/x: cannot be read as a file"),
    ],
)
def test_a_wrong_command_line(small: Workplace, words: str, told: str) -> None:
    """Unknown options, impossible values and folders that do not fit are refused before anything starts."""
    small.write()
    before = sorted(small.folder.rglob("*"))
    assert_refused(command(small, *words.split()), small, 2, told)
    assert sorted(small.folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("optimizer", "model", "told"),
    [
        ({"name": "Adamm"}, {"num_classes": 1}, ["training.optimizer", "Adamm", "model.config", "num_classes"]),
        (
            {"name": "SGD", "config": {"lrr": 1}},
            {"num_classes": 2, "hiden": 3},
            ["training.optimizer.config.lrr", "model.config.hiden"],
        ),
    ],
)
def test_what_only_a_worker_can_find_wrong(
    small: Workplace, optimizer: dict[str, Any], model: dict[str, Any], told: list[str]
) -> None:
    """Unknown classes and wrong arguments are found before anything is trained, and told like any other mistake."""
    small.pipeline["training"]["optimizer"] = optimizer
    small.pipeline["model"]["config"] = model
    assert_refused(small.run("--experiment-mode"), small, 2, "pipeline.yaml:", *told)


# --- exit 3: the system is not ready


@pytest.mark.skipif(os.path.exists("/dev/nvidia0"), reason="this machine has a GPU, so cuda is no mistake here")
def test_cuda_where_there_is_none(on_fleet: Workplace) -> None:
    """The devices that the fleet has are named."""
    change(on_fleet.pipeline, "training.device", "cuda")
    assert_refused(
        on_fleet.run("--experiment-mode"), on_fleet, 3, "training.device is cuda, but the train workers have cpu"
    )


def test_a_broker_that_is_down(small: Workplace) -> None:
    """The broker is named, its password is not; what is wrong with the dataset is said in the same breath."""
    small.config["storage"]["datasets"]["rows"]["uri"] = "nothing/*.parquet"
    url = f"redis+socket://:s3cret@{small.folder}/none.sock"
    small.config["broker"] = {"url": url}
    done = small.run("--experiment-mode")
    assert_refused(done, small, 3, "broker.url: redis+socket://:***@", "does not answer", "no file matches")
    small.config["broker"] = {"url": "redis://:s3cret@localhost:port"}
    done = small.run("--experiment-mode")
    assert_refused(done, small, 3, "broker.url: redis://:***@localhost:port is no URL of a Redis")
    assert "s3cret" not in done.stderr


def _no_file(small: Workplace) -> None:
    small.config["storage"]["datasets"]["rows"]["uri"] = "data/none*.parquet"


def _no_row(small: Workplace) -> None:
    for number in range(2):
        pq.write_table(table(0), small.folder / f"data/part-{number}.parquet")


def _no_column(small: Workplace) -> None:
    small.config["storage"]["datasets"]["rows"]["label"] = "lable"


def _labels(values: Callable[[int], Any]) -> Callable[[Workplace], None]:
    def write(small: Workplace) -> None:
        _write_labels(small.folder / "data/part-1.parquet", 1, [values(key) for key in range(1000, 2000)])

    return write


def _write_labels(file: Path, number: int, labels: list[Any]) -> None:
    rows = table(1000, number * 1000)
    pq.write_table(rows.set_column(3, "label", pa.array(labels)), file)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_no_file, "no file matches"),
        (_no_row, "holds no rows"),
        (_no_column, "has no column lable; did you mean label?"),
        (_labels(lambda key: None if key == 1500 else 0), "row 501 is null"),
        (_labels(lambda key: float("nan") if key == 1500 else 0.0), "row 501 is nan"),
    ],
)
def test_a_dataset_that_cannot_be_used(small: Workplace, spoil: Callable[[Workplace], None], told: str) -> None:
    """What is absent, empty or null from the start is found before anything is trained."""
    spoil(small)
    assert_refused(small.run("--experiment-mode"), small, 3, told)


def test_a_label_that_the_model_has_no_class_for(on_fleet: Workplace) -> None:
    """A label outside num_classes is found by the check, with its key and value."""
    _labels(lambda key: 5 if key == 1500 else 0)(on_fleet)
    told = "The label at key 1500 is 5, but the model knows the classes 0 to 1."
    assert_refused(on_fleet.run("--experiment-mode"), on_fleet, 3, "config.yaml:", told)


def test_a_target_that_no_model_can_be_put_in(on_fleet: Workplace) -> None:
    """It is found before anything is trained, by `validate` and by a run that deploys to it."""
    (on_fleet.folder / "deployed").write_text("")
    told = ("pipeline.yaml:", "deployed is a file, where a folder is needed; name another folder")
    assert_refused(on_fleet.run("--experiment-mode", "--deploy"), on_fleet, 3, *told)
    assert_refused(command(on_fleet, "validate", "pipeline.yaml", "config.yaml"), on_fleet, 3, *told)


def test_a_worker_without_a_broker(small: Workplace) -> None:
    """A worker that nobody could give work to does not start."""
    small.config["broker"] = {"url": f"redis+socket://{small.folder}/none.sock"}
    small.write()
    assert_refused(command(small, "worker", "config.yaml", "--role", "train"), small, 3, "does not answer")


# --- exit 1: the run failed, and goes on when the cause is mended


def failed(small: Workplace, said: str, *told: str) -> None:
    """The run ended as a failed one does: sentences, a summary, nothing running."""
    assert [words for words in told if words not in said] == [], said
    assert "Traceback" not in said
    assert small.summary()["status"] == "failed"
    assert_nothing_runs(small)


def take_as_it_is(small: Workplace) -> None:
    """Say that a file was mended on purpose, as the sentence asks."""
    (small.folder / "runs/datasets/rows.jsonl").unlink()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, fleet_url: str) -> Workplace:
    """A run over the same data to which nothing happened."""
    workplace = Workplace.small(tmp_path_factory.mktemp("undisturbed")).use_fleet(fleet_url)
    done = workplace.run("--experiment-mode")
    assert done.returncode == 0, done.stderr
    return workplace


def assert_same(one: Path, other: Path, *names: str) -> None:
    """Both run directories hold the same bytes."""
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def _rewrite(file: Path) -> None:
    pq.write_table(table(1000, 5000), file)


@pytest.mark.parametrize(("act", "told"), [(_rewrite, "has changed"), (Path.unlink, "part-1.parquet")])
def test_a_file_that_changes_or_vanishes_in_mid_run(
    on_fleet: Workplace, undisturbed: Workplace, act: Callable[[Path], None], told: str
) -> None:
    """The run stops, takes no second start, and goes on to the same result once the file is back."""
    file = on_fleet.folder / "data/part-1.parquet"
    body = file.read_bytes()
    with Running.pipeline(on_fleet, "--experiment-mode") as run:
        run.wait_for("model 0 deployed")
        act(file)
        assert run.wait() == 1
        failed(on_fleet, "".join(run.said), told, "Restore" if act is _rewrite else "Bring the file back", "--resume")
    still = on_fleet.run("--experiment-mode", "--resume")
    assert (still.returncode, "part-1.parquet has" in still.stderr) == (3, True), still.stderr
    file.write_bytes(body)
    again = on_fleet.run("--experiment-mode")
    assert (again.returncode, "already holds a run" in again.stderr) == (2, True), again.stderr
    done = on_fleet.run("--experiment-mode", "--resume")
    assert done.returncode == 0, done.stderr
    assert_same(on_fleet.run_dir, undisturbed.run_dir, "evaluations.csv", *MODELS)
    assert_nothing_runs(on_fleet)


def test_a_feature_that_is_infinite_far_into_the_stream(on_fleet: Workplace) -> None:
    """Column and key are named; with the row mended the run goes on to what it would have come to without it."""
    rows = table(4000, 2000)
    x0 = rows["x0"].to_numpy().copy()
    x0[3900] = np.inf
    file = on_fleet.folder / "data/part-2.parquet"
    pq.write_table(rows.set_column(1, "x0", pa.array(x0)), file)
    on_fleet.pipeline["trigger"]["every"] = 3000
    done = on_fleet.run("--experiment-mode")
    assert done.returncode == 1
    failed(on_fleet, done.stderr, "'x0' is inf at key 5900", "remove the dataset's manifest", "--resume")
    pq.write_table(rows, file)
    take_as_it_is(on_fleet)
    done = on_fleet.run("--experiment-mode", "--resume")
    assert done.returncode == 0, done.stderr
    assert f"{file} is not what it was when this run gave its rows the keys 2000 to 5999" in done.stderr
    done = on_fleet.run("--experiment-mode", run_dir="undisturbed")
    assert done.returncode == 0, done.stderr
    assert_same(on_fleet.run_dir, on_fleet.folder / "undisturbed", "evaluations.csv", *MODELS[:2])
    assert_nothing_runs(on_fleet)


def test_secrets_stay_out_of_sentences(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment filled in is used, and a sentence about it has its name."""
    monkeypatch.setenv("LABEL_COLUMN", "s3cretlabel")
    small.config["storage"]["datasets"]["rows"]["label"] = "${LABEL_COLUMN}"
    done = small.run("--experiment-mode")
    assert_refused(done, small, 3, "has no column ${LABEL_COLUMN}")
    assert "s3cretlabel" not in done.stderr + done.stdout


def test_the_project_is_left_alone(small: Workplace) -> None:
    """A refused command writes nothing beside the code either."""
    before = sorted(path.name for path in PROJECT.iterdir())
    assert_refused(small.run("--experiment-mode", "--start-replay-at", "soon"), small, 2, "soon")
    assert sorted(path.name for path in PROJECT.iterdir()) == before


def test_a_damaged_run_does_not_hide_the_others(small: Workplace) -> None:
    """`runs` lists a run whose journal cannot be read, and says so, and one that was killed at its start."""
    for name, journal in (("one", '{"event":"observed" broken\n'), ("two", "")):
        (small.folder / "runs/small" / name).mkdir(parents=True)
        (small.folder / "runs/small" / name / "journal.jsonl").write_text(journal)
    small.write()
    done = command(small, "runs", "config.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert [one["status"].split(":")[0] for one in json.loads(done.stdout)] == ["unreadable", "killed"]

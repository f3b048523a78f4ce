"""Both files become typed values with defaults filled in, paths absolute and secrets hidden."""

from __future__ import annotations

import pytest

from shared.config.load import load_configuration, load_system
from shared.config.pipeline import Last, TrainingStrategy, Trigger, UntilNextTrigger
from shared.config.system import TimeFormat

PIPELINE = """\
pipeline: {name: flights}
model: {id: mlp}
data: {dataset: flights}
trigger: {policy: data_amount, every: 100}
initial_mode: replay
"""
CONFIG = "storage: {datasets: {flights: {uri: data/*.parquet}}}\n"


@pytest.fixture
def load(tmp_path):
    """Writes and loads both files."""

    def loaded(pipeline=PIPELINE, config=CONFIG):
        (tmp_path / "pipeline.yaml").write_text(pipeline)
        (tmp_path / "config.yaml").write_text(config)
        return load_configuration(tmp_path / "pipeline.yaml", tmp_path / "config.yaml", experiment_mode=True)

    return loaded


def every_rows(rows: int) -> Trigger:
    """`trigger: {policy: data_amount, every: …}`."""
    return Trigger(name="data_amount", options={"every": rows})


def new_data(tail: int) -> TrainingStrategy:
    """`strategy: {name: new_data, tail: …}`."""
    return TrainingStrategy(name="new_data", options={"tail": tail, "limit": None, "seed": None})


def test_defaults_are_filled_in(load):
    """Five lines are a whole pipeline."""
    pipeline = load().pipeline
    assert pipeline.trigger == every_rows(100)
    assert pipeline.strategy == new_data(0)
    assert pipeline.training.optimizer.name == "Adam"
    assert [metric.label for metric in pipeline.evaluation.metrics] == ["accuracy"]
    assert pipeline.deployment is None


@pytest.mark.parametrize(
    ("said", "column", "written"),
    [
        ("", "timestamp", TimeFormat()),
        ("timestamp: t", "t", TimeFormat()),
        ("timestamp: t, unit: ms", "t", TimeFormat(unit="ms")),
        ("timestamp: {column: t}, unit: ms", "t", TimeFormat(unit="ms")),
        ("timestamp: {column: t, unit: ms}", "t", TimeFormat(unit="ms")),
        ("timestamp: {column: t, unit: ms}, unit: ms", "t", TimeFormat(unit="ms")),
        ("timestamp: {column: t, zone: Europe/Zurich}", "t", TimeFormat(zone="Europe/Zurich")),
        ("timestamp: {column: t, format: '%Y %m', zone: UTC}", "t", TimeFormat(format="%Y %m", zone="UTC")),
    ],
)
def test_a_column_of_times_in_both_forms(load, said, column, written):
    """Its name, or a group; the unit may stand in either place."""
    dataset = load(config=CONFIG.replace("uri: data/*.parquet", f"uri: d, {said}")).system.datasets["flights"]
    assert (dataset.timestamp, dataset.time_format) == (column, written)


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        (["next"], "until_next_trigger"),
        (["prequential", "next-2", "until_next_trigger", "next"], "next-3"),
    ],
)
def test_prequential_window_is_always_there(load, taken, name):
    """`until_next_trigger` is measured even where only other windows are named, under a name that is free."""
    windows = ", ".join(f"{{name: {one}, window: {{last: 1d}}}}" for one in taken)
    evaluation = load(PIPELINE + f"evaluation: {{on: [{windows}]}}").pipeline.evaluation
    assert [window.name for window in evaluation.on] == [name, *taken]
    assert evaluation.prequential.extent == UntilNextTrigger()
    assert evaluation.on[1].extent == Last(duration_s=86_400)


def test_key_on_is_a_word(load):
    """`on` is a key and not, as in YAML 1.1, the value true."""
    pipeline = load(PIPELINE + "evaluation: {on: [{name: off, window: until_next_trigger}]}").pipeline
    assert pipeline.evaluation.on[0].name == "off"


def test_float_without_a_dot(load):
    """1e-3 is a number, as people mean it."""
    training = "training: {optimizer: {name: SGD, config: {lr: 1e-3}}}"
    assert load(PIPELINE + training).pipeline.training.optimizer.config == {"lr": 0.001}


def test_time_trigger(load):
    """Durations become seconds, moments microseconds, also where YAML would see a date."""
    text = PIPELINE.replace("{policy: data_amount, every: 100}", "{policy: time, every: 21d, anchor: 1970-01-02}")
    assert load(text).pipeline.trigger == Trigger(
        name="time", options={"every_s": 21 * 86_400, "anchor_us": 86_400_000_000}
    )


def test_strategy_options_stand_in_config_or_beside_the_name(load):
    """`tail` may stand in either place and means the same."""
    nested = load(PIPELINE + "strategy: {name: new_data, config: {tail: 2}}").pipeline
    assert nested.strategy == load(PIPELINE + "strategy: {name: new_data, tail: 2}").pipeline.strategy == new_data(2)


def test_paths_start_at_their_own_file(load, tmp_path):
    """Relative paths start at the folder of the file that names them; URIs stay as they are."""
    system = load(config="storage: {datasets: {flights: {uri: d.csv}, far: {uri: 's3://b/d'}}}").system
    assert system.datasets["flights"].uri == str(tmp_path / "d.csv")
    assert system.datasets["far"].uri == "s3://b/d"
    assert system.artifacts_root == str(tmp_path / "runs")


@pytest.mark.parametrize("uri", ["file://some/place", "some/place"])
def test_file_uris_are_paths(load, tmp_path, uri):
    """Wherever a path may be written, `file://` may stand before it and means no more."""
    text = PIPELINE.replace("{id: mlp}", f"{{id: mlp, initial: {{pretrained: '{uri}'}}}}")
    text += f"deployment: {{targets: [{{kind: directory, uri: '{uri}'}}]}}\n"
    config = f"storage: {{datasets: {{flights: {{uri: '{uri}'}}}}}}\nartifacts: {{uri: '{uri}'}}\n"
    read = load(text, config)
    (target,) = read.pipeline.deployment.targets
    places = (read.pipeline.model.pretrained_uri, read.system.datasets["flights"].uri, read.system.artifacts_root)
    assert {target.uri, *places} == {str(tmp_path / "some" / "place")}
    assert target.name == "place"


def test_pretrained_weights_start_at_the_file_too(load, tmp_path):
    """A relative path of pretrained weights starts at pipeline.yaml's folder, wherever the workers are."""
    text = PIPELINE.replace("{id: mlp}", "{id: mlp, initial: {pretrained: start.safetensors}}")
    assert load(text).pipeline.model.pretrained_uri == str(tmp_path / "start.safetensors")


@pytest.mark.parametrize(("text", "value"), [("0x10", 16), ("1_000", 1000), ("7", 7)])
def test_whole_numbers(load, text, value):
    """Decimal and hexadecimal numbers are read as people mean them."""
    assert load(PIPELINE.replace("every: 100", f"every: {text}")).pipeline.trigger == Trigger(
        name="data_amount", options={"every": value}
    )


@pytest.mark.parametrize(
    ("text", "value"), [("1e-3", 0.001), (".5", 0.5), ("-1.", -1.0), ("1_0.5", 10.5), ("+2e2", 200)]
)
def test_floats(load, text, value):
    """Floats are numbers however they are written."""
    training = f"training: {{optimizer: {{name: SGD, config: {{dampening: {text}}}}}}}"
    assert load(PIPELINE + training).pipeline.training.optimizer.config == {"dampening": value}


def test_system_alone(tmp_path):
    """Commands without a pipeline read config.yaml alone, to the same values."""
    (tmp_path / "config.yaml").write_text(CONFIG + "lease: 3s\n")
    system = load_system(tmp_path / "config.yaml")
    assert system.lease_s == 3
    assert system.broker.url == "embedded"

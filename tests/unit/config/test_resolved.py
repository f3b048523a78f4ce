"""The resolved files of a run directory are input files again, and mean what the files meant that they came from."""

from __future__ import annotations

import posixpath
import tempfile
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.config.load import Configuration, load_configuration
from shared.config.resolved import as_written
from shared.config.schema.pipeline import PipelineSchema
from shared.config.schema.system import SystemSchema
from shared.config.yaml_source import read_yaml, yaml_text

EXAMPLES = Path(__file__).parents[3] / "examples"
PIPELINE = {
    "pipeline": {"name": "flights"},
    "model": {"id": "mlp"},
    "data": {"dataset": "flights"},
    "trigger": {"policy": "data_amount", "every": 100},
    "initial_mode": "replay",
}
CONFIG = {"storage": {"datasets": {"flights": {"uri": "data/*.parquet"}}}}


def loaded(folder: Path) -> Configuration:
    """Both files of a folder."""
    return load_configuration(folder / "pipeline.yaml", folder / "config.yaml", experiment_mode=True)


def written(folder: Path, pipeline: object = PIPELINE, config: object = CONFIG) -> Configuration:
    """Both files, written and loaded."""
    (folder / "pipeline.yaml").write_text(yaml_text(pipeline), encoding="utf-8")
    (folder / "config.yaml").write_text(yaml_text(config), encoding="utf-8")
    return loaded(folder)


def assert_means_the_same_elsewhere(before: Configuration) -> None:
    """The resolved files, loaded from another folder, give equal values, and the same resolved files."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pipeline.yaml").write_text(before.resolved_pipeline_yaml(), encoding="utf-8")
        (Path(folder) / "config.yaml").write_text(before.resolved_system_yaml(), encoding="utf-8")
        after = loaded(Path(folder))
    assert after.pipeline == before.pipeline
    assert msgspec.structs.replace(after.system, path=before.system.path) == before.system
    assert after.resolved_pipeline_yaml() == before.resolved_pipeline_yaml()
    assert after.resolved_system_yaml() == before.resolved_system_yaml()


@pytest.mark.parametrize("example", sorted(file.parent.name for file in EXAMPLES.glob("*/pipeline.yaml")))
def test_examples(example):
    """Both files of each example can be loaded again."""
    assert_means_the_same_elsewhere(loaded(EXAMPLES / example))


def test_small_workplace(small):
    """So can those that the tests use."""
    small.write()
    assert_means_the_same_elsewhere(loaded(small.folder))


def test_five_lines(tmp_path):
    """So can files that leave almost everything out."""
    assert_means_the_same_elsewhere(written(tmp_path))


def test_values_from_the_environment(tmp_path, monkeypatch):
    """What the environment fills in stays a name, and is filled in again, in paths, lists and durations too."""
    monkeypatch.setenv("PART", "part4711")
    monkeypatch.setenv("FOLDER", "/far/away4711")
    monkeypatch.setenv("PERIOD", "4711s")
    config = {
        "broker": {"url": "redis://:${PART}@host"},
        "storage": {
            "datasets": {
                "flights": {"uri": "./${PART}//*.csv", "label": "${PART}", "features": ["x", "${FOLDER}"]},
                "far": {"uri": "${FOLDER}/*.csv"},
            }
        },
        "artifacts": {"uri": "file://${FOLDER}/runs/"},
        "notification": {"mode": "push", "every": "${PERIOD}", "url": "redis://:${PART}@host", "stream": "${PART}"},
        "alerts": [{"url": "http://${PART}"}],
    }
    configuration = written(tmp_path, PIPELINE, config)
    assert configuration.system.notification.every_s == 4711
    assert "4711" not in configuration.resolved_system_yaml()
    assert_means_the_same_elsewhere(configuration)


def test_names_in_the_pipeline_stay_names(tmp_path, monkeypatch):
    """What the environment fills into pipeline.yaml is used, and stands in no resolved file, wherever it stood."""
    monkeypatch.setenv("PART", "hush4711")
    monkeypatch.setenv("FOLDER", "/far/away4711")
    monkeypatch.setenv("HOME", "/far/home4711")
    pipeline = {
        **PIPELINE,
        "pipeline": {"name": "flights", "description": "for ${PART}"},
        "model": {"id": "mlp", "config": {"name": "${PART}"}, "initial": {"pretrained": "${FOLDER}/model.safetensors"}},
        "strategy": {"name": "new_data", "config": {"tail": 3}},
        "evaluation": {"metrics": [{"name": "accuracy"}], "on": [{"name": "${PART}", "window": {"last": "7d"}}]},
        "deployment": {
            "targets": [
                {"kind": "directory", "uri": "${HOME}/deployed"},
                {"kind": "directory", "uri": "out/${PART}"},
                {"kind": "directory", "uri": "~/${PART}/home"},
            ]
        },
    }
    before = written(tmp_path, pipeline)
    assert before.pipeline.deployment is not None
    assert [one.uri for one in before.pipeline.deployment.targets] == [
        "/far/home4711/deployed",
        f"{tmp_path}/out/hush4711",
        "/far/home4711/hush4711/home",
    ]
    assert_means_the_same_elsewhere(before)
    assert "4711" not in before.resolved_pipeline_yaml()


def test_the_home_folder_begins_every_path(tmp_path, monkeypatch):
    """`~` is the home folder in every path of both files, also behind file://; a name that begins with it is a name."""
    monkeypatch.setenv("HOME", "/far/home")
    pipeline = {
        **PIPELINE,
        "model": {"id": "mlp", "initial": {"pretrained": "~/model.safetensors"}},
        "deployment": {
            "targets": [{"kind": "directory", "uri": "file://~/out"}, {"kind": "directory", "uri": "~old/out2"}]
        },
    }
    config = {"storage": {"datasets": {"flights": {"uri": "~/data/*.csv"}}}, "artifacts": {"uri": "~"}}
    loaded = written(tmp_path, pipeline, config)
    assert loaded.system.datasets["flights"].uri == "/far/home/data/*.csv"
    assert loaded.system.artifacts_root == "/far/home"
    assert loaded.pipeline.model.pretrained_uri == "/far/home/model.safetensors"
    assert loaded.pipeline.deployment is not None
    assert [one.uri for one in loaded.pipeline.deployment.targets] == ["/far/home/out", f"{tmp_path}/~old/out2"]
    assert_means_the_same_elsewhere(loaded)


def test_a_masked_password_is_all_that_is_lost(tmp_path):
    """A literal password is not kept; the rest of the URL is."""
    config = CONFIG | {"broker": {"url": "redis://me:s3cret@host:1/0"}}
    (tmp_path / "run").mkdir()
    before = written(tmp_path, PIPELINE, config)
    (tmp_path / "run" / "pipeline.yaml").write_text(before.resolved_pipeline_yaml())
    (tmp_path / "run" / "config.yaml").write_text(before.resolved_system_yaml())
    after = loaded(tmp_path / "run")
    assert after.system.broker.url == before.system.broker.masked_url == "redis://me:***@host:1/0"
    assert after.system.datasets == before.system.datasets


_TEXT = st.text(min_size=1, max_size=12).filter(str.strip) | st.sampled_from(
    ["on", "1e-3", "0x10", "1:30", "=", "null"]
)
_COUNT = st.integers(1, 1024)
_NUMBER = st.floats(1e-9, 1e9)
_DURATION = st.builds(
    lambda number, unit: f"{number}{unit}",
    st.integers(1, 500) | st.decimals("0.01", 500, places=6),
    st.sampled_from("smhdw"),
).filter(lambda text: not text.startswith("0.0") or text[-1] != "s")
_LONG = st.sampled_from(["1s", "90m", "1.1h", "7d", "2w", "600.25s"])
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | _NUMBER | st.text(max_size=12),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=6,
)
_ARGUMENTS = st.dictionaries(_TEXT, _VALUE, max_size=3)
_COMPONENT = {"name": _TEXT}, {"config": _ARGUMENTS}
_FOLDER = st.sampled_from(["here", "./a/b/", "/far/away", "../up", "file:///far/b", "on"])
_PATH = _FOLDER | st.just("s3://bucket/x")
_DEVICE = st.sampled_from(["auto", "cpu", "cuda"])


def group(required: dict[str, object], optional: dict[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """A group with its required keys, and any of the others."""
    return st.fixed_dictionaries(required, optional=optional)


_TRAINING = group(
    {},
    {
        "distribution": st.just("single"),
        "workers": st.just(1),
        "device": _DEVICE,
        "use_previous_model": st.booleans(),
        "epochs": _COUNT,
        "dataloader_workers": st.just(0),
        "optimizer": group(*_COMPONENT),
        "lr_scheduler": group({"name": _TEXT}, {"config": _ARGUMENTS, "every": st.sampled_from(["epoch", "batch"])}),
        "loss": group(*_COMPONENT),
        "augmentation": st.just([]),
        "precision": st.sampled_from(["fp32", "bf16", "fp16"]),
        "gradient_clip_norm": _NUMBER,
        "checkpoint_every_s": _NUMBER | _COUNT,
        "seed": st.integers(0, 2**63 - 1),
        "stall_after": _LONG,
        "on_failure": st.sampled_from(["stop", "continue"]),
        "backlog": st.sampled_from(["queue", "coalesce"]),
    },
)
_TRIGGER = group({"policy": st.just("data_amount"), "every": _COUNT}, {}) | group(
    {"policy": st.just("time"), "every": _DURATION}, {"anchor": st.datetimes().map(lambda moment: moment.isoformat())}
)
_STRATEGY = st.sampled_from(
    [
        {"name": "all_data"},
        {"name": "new_data"},
        {"name": "new_data", "tail": 3},
        {"name": "new_data", "config": {"tail": 2}},
    ]
)
_METRIC = st.sampled_from(
    ["accuracy", "auroc", "top_k", {"name": "top_k", "k": 3}, {"name": "f1"}, {"name": "f1", "average": "micro"}]
)
_WINDOW = group(
    {
        "name": _TEXT,
        "window": st.just("until_next_trigger")
        | st.builds(lambda kind, duration: {kind: duration}, st.sampled_from(["last", "every"]), _DURATION),
    },
    {"split": st.sampled_from(["train", "validation", "test"])},
)
_EVALUATION = group(
    {},
    {
        "metrics": st.lists(_METRIC, min_size=1, unique_by=str),
        "models": st.just("all") | st.builds(lambda newest: {"newest": newest}, _COUNT),
        "on": st.lists(_WINDOW, max_size=3, unique_by=lambda window: window["name"]),
    },
)
_DEPLOYMENT = group(
    {
        "targets": st.lists(
            st.builds(
                lambda name, uri: {"name": name, "kind": "directory", "uri": uri}, st.sampled_from("ab"), _FOLDER
            ),
            min_size=1,
            max_size=2,
            unique_by=(lambda target: target["name"], lambda target: posixpath.normpath(target["uri"])),
        )
    },
    {},
)
_PIPELINE = group(
    {
        "pipeline": group({"name": st.just("flights")}, {"description": st.text(max_size=30), "version": _COUNT}),
        "model": group(
            {"id": st.sampled_from(["mlp", "logistic"])},
            {
                "config": _ARGUMENTS,
                "initial": st.just("random") | st.builds(lambda uri: {"pretrained": uri}, _PATH),
            },
        ),
        "data": group(
            {"dataset": st.just("flights")},
            {
                "split": group({}, {"test": st.floats(0, 0.4), "validation": st.floats(0, 0.4), "by": _TEXT}),
                "label_delay": st.just("0s") | _DURATION,
            },
        ),
        "trigger": _TRIGGER,
        "initial_mode": st.just("replay"),
    },
    {
        "training": _TRAINING,
        "strategy": _STRATEGY,
        "evaluation": _EVALUATION,
        "deployment": _DEPLOYMENT,
        "logging": group(
            {}, {"level": st.just("debug"), "to": st.just(["file:on.log"]), "tensorboard": st.just(False)}
        ),
    },
)
_INPUT = st.sampled_from(
    [
        {},
        {"features": ["on", "1e3", "y"]},
        {"features": [], "time_features": ["hour"]},
        {"time_features": ["month", "weekday", "hour"]},
        {"image": {"column": "pixels", "shape": [1, 8, 8]}},
        {"text": "words"},
        {"unit": "ms", "timestamp": "when", "label": "late"},
        {"timestamp": {"column": "on", "format": "%d/%m/%Y %H:%M", "zone": "Europe/Zurich"}},
        {"timestamp": {"column": "when", "zone": "Etc/GMT-2"}},
        {"classes": ["no", "yes", "1", " a", ""]},
    ]
)
_CONFIG = group(
    {
        "storage": st.builds(
            lambda uri, given, more: {"datasets": {"flights": {"uri": uri, **given}, **more}},
            _PATH,
            _INPUT,
            st.just({}) | st.just({"0x10": {"uri": "other"}}),
        )
    },
    {
        "broker": st.sampled_from([{}, {"url": "redis://host:1/0"}, {"url": "redis+socket:///tmp/r.sock"}]),
        "artifacts": st.sampled_from([{}, *({"uri": uri} for uri in ("a/", "/", "file:///b", "../c"))]),
        "fleet": group({}, {"train": _COUNT, "evaluate": st.just(0), "device": _DEVICE}),
        "notification": group({}, {"every": _DURATION})
        | st.sampled_from([{"mode": "push"}, {"mode": "push", "url": "redis://host/1", "stream": "news"}]),
        "trusted_modules": st.lists(_TEXT, max_size=2),
        "lease": _LONG,
        "retention": st.sampled_from([{}, {"checkpoints": 4}, {"models": "all"}]),
        "metrics": st.sampled_from([{}, {"listen": "[::1]:9464"}, {"listen": "0.0.0.0:0", "workers": "h:1"}]),
        "alerts": st.lists(st.sampled_from([{"url": "https://a.b/c"}, {"kind": "webhook", "url": "http://on"}])),
    },
)


@settings(max_examples=100)
@given(_PIPELINE, _CONFIG)
def test_files_with_many_keys(pipeline, config):
    """Whatever is set, it is the same after the way through the run directory."""
    with tempfile.TemporaryDirectory() as folder:
        assert_means_the_same_elsewhere(written(Path(folder), pipeline, config))


@given(st.dictionaries(st.text(max_size=8), _VALUE))
def test_yaml_says_the_same_values(values):
    """Values written as YAML are read as they were; no text becomes a number, no number a text."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "values.yaml").write_text(yaml_text(values), encoding="utf-8")
        assert repr(read_yaml(Path(folder) / "values.yaml").values) == repr(values)


def test_every_key_that_has_a_value_is_there(tmp_path):
    """Each key stands there under its own name, with what would be written there; those that mean nothing do not."""
    configuration = written(tmp_path)
    pipeline = yaml.safe_load(configuration.resolved_pipeline_yaml())
    assert list(pipeline) == [key for key in PipelineSchema().fields if key != "deployment"]
    assert pipeline["model"] == {"id": "mlp", "framework": "pytorch", "config": {}, "initial": "random"}
    assert pipeline["training"]["stall_after"] == "600s"
    assert pipeline["training"]["optimizer"] == {"name": "Adam", "config": {"lr": 0.001}}
    assert {"lr_scheduler", "gradient_clip_norm"}.isdisjoint(pipeline["training"])
    assert pipeline["strategy"] == {"name": "new_data", "tail": 0, "warm_up": 0, "reset_on_trigger": False}
    assert pipeline["evaluation"] == {
        "device": "auto",
        "metrics": ["accuracy"],
        "models": "all",
        "on": [{"name": "next", "window": "until_next_trigger"}],
    }
    system = yaml.safe_load(configuration.resolved_system_yaml())
    assert list(system) == [field.data_key or key for key, field in SystemSchema().fields.items() if key != "metrics"]
    assert system["notification"] == {"mode": "pull", "every": "5s"}
    assert system["lease"] == "15s"
    assert system["storage"]["datasets"]["flights"] == {
        "kind": "table",
        "uri": f"{tmp_path}/data/*.parquet",
        "encoding": "utf-8",
        "timestamp": "timestamp",
        "future_skew": "1d",
        "label": "label",
        "nulls": {"features": "impute", "labels": "refuse", "indicator": False},
    }


def test_what_only_a_later_version_can_change_has_its_only_value(tmp_path):
    """Keys with one value so far are there too, so that a later version reads what this one did."""
    pipeline = yaml.safe_load(written(tmp_path).resolved_pipeline_yaml())
    only = {"distribution": "single", "workers": 1, "dataloader_workers": 0, "augmentation": []}
    assert {key: pipeline["training"][key] for key in only} == only
    assert pipeline["data"]["label_delay"] == "0s"
    assert pipeline["logging"]["tensorboard"] is False


def test_paths_are_absolute(tmp_path):
    """No path depends on the folder that the file is in."""
    pipeline = PIPELINE | {
        "model": {"id": "mlp", "initial": {"pretrained": "start.safetensors"}},
        "deployment": {"targets": [{"kind": "directory", "uri": "out"}]},
    }
    configuration = written(tmp_path, pipeline)
    resolved = yaml.safe_load(configuration.resolved_pipeline_yaml())
    assert resolved["model"]["initial"] == {"pretrained": f"{tmp_path}/start.safetensors"}
    assert resolved["deployment"]["targets"][0]["uri"] == f"{tmp_path}/out"
    assert yaml.safe_load(configuration.resolved_system_yaml())["artifacts"]["uri"] == f"{tmp_path}/runs"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"trigger": {"policy": "time", "every": "7d"}}, {"trigger": {"policy": "time", "every": "1w"}}),
        (
            {"trigger": {"policy": "time", "every": "7d", "anchor": "2013-01-01"}},
            {"trigger": {"every": "168h", "policy": "time", "anchor": "2013-01-01T01:00:00+01:00"}},
        ),
        ({"strategy": {"name": "new_data", "tail": 2}}, {"strategy": {"name": "new_data", "config": {"tail": 2}}}),
        ({"evaluation": {"metrics": ["f1"]}}, {"evaluation": {"metrics": [{"name": "f1", "average": "macro"}]}}),
        ({"training": {"seed": 0}}, {}),
    ],
)
def test_what_means_the_same_is_written_the_same(tmp_path, one, other):
    """A run can be resumed with files that say the same in other words."""
    first = written(tmp_path, PIPELINE | one).resolved_pipeline_yaml()
    assert written(tmp_path, PIPELINE | other).resolved_pipeline_yaml() == first


@pytest.mark.parametrize(
    ("text", "shown"),
    [("7d", "7d"), ("24h", "1d"), ("5s", "5s"), ("6h", "6h"), ("90m", "5400s"), ("0.000001s", "0.000001s")],
)
def test_durations_are_short(text, shown):
    """Durations come in days and hours where those are whole, else in seconds."""
    field = SystemSchema().fields["notification"].schema().fields["every_s"]
    assert as_written(field, field.deserialize(text)) == shown

"""What the environment fills in is used, and never shown."""

from __future__ import annotations

import pytest
import yaml

from shared.config.load import load_configuration, load_system
from shared.config.secrets import hide, hide_password
from shared.errors import ConfigurationError

PIPELINE = """\
pipeline: {name: flights}
model: {id: mlp}
data: {dataset: flights}
trigger: {policy: data_amount, every: 100}
initial_mode: replay
"""
CONFIG = "storage: {datasets: {flights: {uri: data/*.parquet}}}\n"


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Writes and loads both files, with BROKER_SECRET and DATA_FOLDER in the environment."""
    monkeypatch.setenv("BROKER_SECRET", "hush4711")
    monkeypatch.setenv("DATA_FOLDER", "/far/away4711")

    def loaded(config=CONFIG):
        (tmp_path / "pipeline.yaml").write_text(PIPELINE)
        (tmp_path / "config.yaml").write_text(config)
        return load_configuration(tmp_path / "pipeline.yaml", tmp_path / "config.yaml", experiment_mode=True)

    return loaded


def test_a_password_is_used_and_written_back_by_name(load):
    """The broker gets the password; what is shown has `${NAME}`."""
    loaded = load("broker: {url: 'redis://me:${BROKER_SECRET}@host:1/0'}\n" + CONFIG)
    assert loaded.system.broker.url == "redis://me:hush4711@host:1/0"
    assert loaded.system.broker.masked_url == "redis://me:${BROKER_SECRET}@host:1/0"
    assert yaml.safe_load(loaded.resolved_system_yaml())["broker"]["url"] == "redis://me:${BROKER_SECRET}@host:1/0"


@pytest.mark.parametrize(
    ("config", "keys", "written"),
    [
        ("storage: {datasets: {d: {uri: '${DATA_FOLDER}/a.csv'}}}", "storage.datasets.d.uri", "${DATA_FOLDER}/a.csv"),
        ("storage: {datasets: {d: {uri: 'in/${BROKER_SECRET}'}}}", "storage.datasets.d.uri", "in/${BROKER_SECRET}"),
        (
            "storage: {datasets: {d: {uri: a, label: '${BROKER_SECRET}'}}}",
            "storage.datasets.d.label",
            "${BROKER_SECRET}",
        ),
        (
            "storage: {datasets: {d: {uri: a}}}\nartifacts: {uri: '${DATA_FOLDER}/'}",
            "artifacts.uri",
            "${DATA_FOLDER}/",
        ),
        (
            "storage: {datasets: {d: {uri: a}}}\nartifacts: {uri: './${BROKER_SECRET}/'}",
            "artifacts.uri",
            "${BROKER_SECRET}",
        ),
        (
            "storage: {datasets: {d: {uri: a}}}\nalerts: [{url: 'https://${BROKER_SECRET}'}]",
            "alerts.0.url",
            "https://${BROKER_SECRET}",
        ),
        (
            "storage: {datasets: {d: {uri: a}}}\ntrusted_modules: ['${BROKER_SECRET}']",
            "trusted_modules.0",
            "${BROKER_SECRET}",
        ),
    ],
)
def test_every_value_from_the_environment_is_written_back_by_name(load, tmp_path, config, keys, written):
    """config.yaml in the run directory holds the names, wherever the values stood."""
    text = load(config.replace("{d:", "{flights:")).resolved_system_yaml()
    value = yaml.safe_load(text)
    for key in keys.replace(".d.", ".flights.").split("."):
        value = value[int(key) if key.isdigit() else key]
    assert value.removeprefix(f"{tmp_path}/") == written
    assert "4711" not in text


def test_lists_too(load):
    """Values in a list keep their place."""
    config = "storage: {datasets: {flights: {uri: a, features: [x, '${BROKER_SECRET}', y]}}}"
    dataset = yaml.safe_load(load(config).resolved_system_yaml())["storage"]["datasets"]["flights"]
    assert dataset["features"] == ["x", "${BROKER_SECRET}", "y"]


def test_a_new_password_is_no_other_configuration(load, monkeypatch):
    """A run can be resumed after its password was changed."""
    config = "broker: {url: 'redis://:${BROKER_SECRET}@host'}\n" + CONFIG
    before = load(config).resolved_system_yaml()
    monkeypatch.setenv("BROKER_SECRET", "changed4711")
    assert load(config).resolved_system_yaml() == before


@pytest.mark.parametrize(
    "config",
    [
        CONFIG + "broker: {url: '${BROKER_SECRET}'}",
        CONFIG + "fleet: {train: '${BROKER_SECRET}'}",
        CONFIG + "fleet: {device: 'x${BROKER_SECRET}'}",
        CONFIG + "notification: {every: '${BROKER_SECRET}'}",
        CONFIG + "artifacts: {uri: '${BROKER_SECRET}://x'}",
        CONFIG + "trusted_modules: '${BROKER_SECRET}'",
        "storage: '${BROKER_SECRET}'",
        "storage: {datasets: {flights: {uri: ['${BROKER_SECRET}']}}}",
    ],
)
def test_errors_name_the_variable_not_its_value(load, config):
    """A wrong value from the environment is told by its name."""
    with pytest.raises(ConfigurationError) as caught:
        load(config)
    assert "4711" not in str(caught.value)
    assert "${BROKER_SECRET}" in str(caught.value)


def test_a_password_in_the_file_is_not_kept(load):
    """Passwords that stand in config.yaml itself are masked in the run directory."""
    text = load(
        "broker: {url: 'redis://me:s3cret@host'}\nalerts: [{url: 'https://host/x?password=s3cret'}]\n" + CONFIG
    ).resolved_system_yaml()
    assert "s3cret" not in text
    assert "redis://me:***@host" in text


def test_whatever_is_shown_can_be_cleaned(load):
    """`hide` puts names for values into any text, the longest value first."""
    load("broker: {url: 'redis://:${BROKER_SECRET}@host'}\n" + CONFIG)
    assert hide("no answer from redis://:hush4711@host") == "no answer from redis://:${BROKER_SECRET}@host"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:s3cret@host:1/0", "redis://:***@host:1/0"),
        ("redis://me:p@ss/w#rd@host", "redis://me:***@host"),
        ("redis://me:${P}@host", "redis://me:${P}@host"),
        ("redis://me:a${P}@host", "redis://me:***@host"),
        ("redis://host/0?password=s3cret&db=1", "redis://host/0?password=***&db=1"),
        ("redis+socket:///tmp/r.sock", "redis+socket:///tmp/r.sock"),
        ("embedded", "embedded"),
    ],
)
def test_a_password_that_stands_in_the_file_is_masked(url, shown):
    """A literal password is `***`, whatever characters it has; a named one stays a name."""
    assert hide_password(url) == shown


def test_commands_without_a_pipeline_mask_too(tmp_path, monkeypatch):
    """`load_system` alone gives the same masked URL."""
    monkeypatch.setenv("BROKER_SECRET", "hush4711")
    (tmp_path / "config.yaml").write_text(CONFIG + "broker: {url: 'redis://:${BROKER_SECRET}@host'}\n")
    assert load_system(tmp_path / "config.yaml").broker.masked_url == "redis://:${BROKER_SECRET}@host"

"""Settings of pipeline.yaml that the command line changes for one run."""

from __future__ import annotations

import pytest
import yaml
from workplace import Workplace

from shared.config.changes import changes_of, put
from shared.config.load import Configuration, load_configuration
from shared.errors import ConfigurationError


def loaded(small: Workplace, *typed: str) -> Configuration:
    """Both files, with these settings."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    return load_configuration(*files, changes_of(typed), experiment_mode=True)


def refused(small: Workplace, *typed: str) -> str:
    """What is said of settings that are refused."""
    with pytest.raises(ConfigurationError) as caught:
        loaded(small, *typed)
    return str(caught.value)


def test_a_setting_takes_the_place_of_what_the_file_says(small: Workplace) -> None:
    """Values are YAML; a group is replaced as a whole, an entry of a list by its number."""
    changed = ("trigger.every=2000", "strategy={name: new_data, config: {tail: 1}}", "evaluation.metrics.1=f1")
    pipeline = loaded(small, *changed).pipeline
    assert pipeline.trigger.options["every"] == 2000
    assert pipeline.strategy.options["tail"] == 1
    assert [one.label for one in pipeline.evaluation.metrics] == ["accuracy", "f1"]


def test_groups_that_the_file_lacks_are_made(small: Workplace) -> None:
    """Also below one that is there."""
    del small.pipeline["strategy"]
    configuration = loaded(small, "strategy.name=new_data", "model.config.bias=false")
    assert configuration.pipeline.strategy.name == "new_data"
    assert configuration.pipeline.model.config == {"num_classes": 2, "bias": False}


def test_the_resolved_file_holds_the_result(small: Workplace) -> None:
    """So that a run can be resumed without the command line of its start; read again it means the same."""
    text = loaded(small, "trigger.every=250", "training.seed=7").resolved_pipeline_yaml()
    assert (yaml.safe_load(text)["trigger"]["every"], yaml.safe_load(text)["training"]["seed"]) == (250, 7)
    small.pipeline["trigger"]["every"], small.pipeline["training"]["seed"] = 250, 7
    assert loaded(small).resolved_pipeline_yaml() == text


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("trigger.every=abc", "--set trigger.every=abc: trigger.every: 'abc' is not a whole number"),
        ("trigger.evry=5", "--set trigger.evry=5: trigger.evry: is not a key here; did you mean every?"),
        ("tigger.every=5", "--set tigger.every=5: tigger: is not a key here; did you mean trigger?"),
        ("trigger={policy: data_amount}", "--set trigger={policy: data_amount}: trigger.every: is missing"),
        ("trigger.every=", "--set trigger.every=: gives no value"),
        ("trigger.every=[1", "--set trigger.every=[1: is not YAML"),
        ("trigger={every: 1, every: 2}", "trigger.every: stands here a second time"),
        ("training.seed=!!python/name:os 3", "has the tag !!python/name:os"),
        ("trigger.every.x=3", "trigger.every is 500 in the file, so nothing stands below it"),
        ("evaluation.metrics.5=f1", "evaluation.metrics is a list of 2 entries, from 0 to 1"),
        ("model.id=${NO_SUCH_NAME}", "--set model.id=${NO_SUCH_NAME}: model.id: the environment has no NO_SUCH_NAME"),
        ("broker.url=redis://x", "broker is a key of config.yaml, and --set changes pipeline.yaml alone"),
        ("trigger.every", "is no setting; write KEY=VALUE"),
        ("trigger..every=1", "is no setting; write KEY=VALUE"),
    ],
)
def test_what_is_wrong_names_the_setting(small: Workplace, typed: str, told: str) -> None:
    """Not a line of the file, which says something else."""
    assert told in refused(small, typed)


def test_other_mistakes_keep_their_line(small: Workplace) -> None:
    """A setting beside them changes nothing about where they stand."""
    small.pipeline["strategy"] = {"name": "nwe_data"}
    assert "pipeline.yaml:" in refused(small, "trigger.every=2000")


def test_a_mistake_of_the_file_is_none_where_a_setting_replaces_it(small: Workplace) -> None:
    """Neither a wrong value nor an empty key."""
    small.pipeline["trigger"] = {"policy": "data_amount", "every": "abc"}
    small.pipeline["training"]["seed"] = "x"
    assert loaded(small, "trigger.every=100", "training={seed: 3}").pipeline.training.seed == 3


def test_a_key_is_set_once(small: Workplace) -> None:
    """Else the order of the command line would decide."""
    assert "--set trigger.every is given twice" in refused(small, "trigger.every=1", "trigger.every=2")
    assert "stands within --set trigger" in refused(small, "trigger.every=1", "trigger={policy: time}")
    assert "stands within --set trigger" in refused(small, "trigger={policy: time}", "trigger.every=1")


def test_an_entry_of_a_list_may_be_put_into_a_group_in_it() -> None:
    """By number, then by key."""
    values = {"targets": [{"uri": "a"}, {"uri": "b"}]}
    assert put(values, "targets.1.uri", "c") is None
    assert values == {"targets": [{"uri": "a"}, {"uri": "c"}]}

"""What pipeline.yaml may say of strategies made of strategies, and of any; mistakes are told at their own place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from marshmallow import ValidationError

from shared.config.load import load_configuration
from shared.config.pipeline import TrainingStrategy
from shared.config.schema.strategy import StrategyBlock
from shared.config.within import strategies_within
from shared.errors import ConfigurationError
from shared.strategies.build import strategy_of

UNIFORM = {"name": "uniform", "fraction": 0.5}
BALANCED = {"name": "balanced", "by": "label"}
MIX = {"name": "replay_mix", "memory_limit": 5}
FRESH = {"name": "freshness", "limit": 5, "unused_share": 0.5}
NESTED = {
    "name": "schedule",
    "warm_up": 1,
    "strategies": [
        {"name": "all_data"},
        {"name": "pipeline", "from_trigger": 3, "stages": [UNIFORM, {"name": "balanced", "by": "label"}]},
    ],
}
PIPELINE: dict[str, Any] = {
    "pipeline": {"name": "p"},
    "model": {"id": "logistic", "config": {"num_classes": 2}},
    "data": {"dataset": "rows"},
    "trigger": {"policy": "data_amount", "every": 100},
    "initial_mode": "replay",
}


def load(folder: Path, text: str) -> Any:
    """The files of a folder, with this said of the strategy."""
    (folder / "pipeline.yaml").write_text(yaml.safe_dump(PIPELINE, sort_keys=False) + text)
    (folder / "config.yaml").write_text("storage: {datasets: {rows: {uri: d.csv}}}\nartifacts: {uri: runs}\n")
    return load_configuration(folder / "pipeline.yaml", folder / "config.yaml", experiment_mode=True)


def refused(block: dict[str, Any]) -> Any:
    """What is said of it, by key."""
    with pytest.raises(ValidationError) as caught:
        StrategyBlock("").deserialize(block)
    return caught.value.messages


def one(messages: Any) -> tuple[str, str]:
    """The only mistake: (key path, sentence)."""
    path = []
    while isinstance(messages, dict):
        ((key, messages),) = messages.items()
        path.append(str(key))
    (sentence,) = messages
    return ".".join(path), sentence


def test_they_are_loaded_written_and_loaded_again(tmp_path: Path) -> None:
    """With all defaults of all that is within."""
    configuration = load(tmp_path, yaml.safe_dump({"strategy": NESTED}))
    resolved = configuration.resolved_pipeline_yaml()
    written = yaml.safe_load(resolved)["strategy"]
    assert written["strategies"][1]["stages"][0] == {"name": "uniform", "of": "new", "tail": 0, "fraction": 0.5}
    assert (written["warm_up"], written["strategies"][1]["from_trigger"]) == (1, 3)
    again = load(tmp_path, yaml.safe_dump({"strategy": written}))
    assert again.pipeline == configuration.pipeline
    assert again.resolved_pipeline_yaml() == resolved


def test_what_is_said_of_any_may_stand_in_config(tmp_path: Path) -> None:
    """As a strategy's own options may."""
    beside = load(tmp_path, "strategy: {name: latest, limit: 5, warm_up: 2, reset_on_trigger: true}\n")
    within = load(tmp_path, "strategy: {name: latest, config: {limit: 5, warm_up: 2, reset_on_trigger: true}}\n")
    assert beside.pipeline == within.pipeline
    assert (beside.pipeline.strategy.warm_up, beside.pipeline.strategy.reset_on_trigger) == (2, True)


def test_a_mistake_within_is_told_at_its_line(tmp_path: Path) -> None:
    """With the path of its key, and the nearest that was meant."""
    text = (
        "strategy:\n  name: pipeline\n  stages:\n    - {name: uniform, fraction: 0.5}\n    - {name: latest, limt: 5}\n"
    )
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    line = len(yaml.safe_dump(PIPELINE, sort_keys=False).splitlines()) + 5
    assert any(
        f"pipeline.yaml:{line}: strategy.stages.1.limt: is not a key here; did you mean limit?" in told
        for told in caught.value.problems
    )


@pytest.mark.parametrize(
    ("block", "path", "sentence"),
    [
        ({"name": "pipeline"}, "stages", "is missing; add it."),
        ({"name": "pipeline", "stages": [UNIFORM]}, "stages", "has one entry; write that strategy itself"),
        ({"name": "pipeline", "stages": [UNIFORM, {"name": "unifrom"}]}, "stages.1.name", "did you mean uniform"),
        ({"name": "pipeline", "stages": [UNIFORM, {**UNIFORM, "fraction": 2}]}, "stages.1.fraction", "2 is more than"),
        ({"name": "pipeline", "stages": [UNIFORM, {**UNIFORM, "of": "all"}]}, "stages.1.of", "is for the first stage"),
        ({"name": "pipeline", "stages": [UNIFORM, {**UNIFORM, "tail": 1}]}, "stages.1.tail", "is for the first stage"),
        ({"name": "pipeline", "stages": [UNIFORM, {"name": "new_data"}]}, "stages.1.limit", "new_data takes all that"),
        ({"name": "pipeline", "stages": [UNIFORM, {"name": "all_data"}]}, "stages.1.limit", "all_data takes all that"),
        (
            {"name": "pipeline", "stages": [UNIFORM, {"name": "remembering"}]},
            "stages.1.name",
            "remembering selects from rows that it remembers, not from other stages'; make it the first one.",
        ),
        (
            {"name": "pipeline", "stages": [UNIFORM, {"name": "schedule"}]},
            "stages.1.name",
            "schedule cannot stand here; write all stages in one list, or a schedule with pipelines in it.",
        ),
        (
            {"name": "pipeline", "stages": [UNIFORM, {**UNIFORM, "warm_up": 3}]},
            "stages.1.warm_up",
            "is about the strategy as a whole; write it in the outermost group.",
        ),
        ({"name": "pipeline", "stages": [UNIFORM, {**UNIFORM, "from_trigger": 3}]}, "stages.1.from_trigger", "is not"),
        ({"name": "schedule", "strategies": [UNIFORM]}, "strategies", "has one entry"),
        (
            {"name": "schedule", "strategies": [{**UNIFORM, "from_trigger": 1}, {**UNIFORM, "from_trigger": 2}]},
            "strategies.0.from_trigger",
            "is 1, and nothing selects before; remove it.",
        ),
        ({"name": "schedule", "strategies": [UNIFORM, UNIFORM]}, "strategies.1.from_trigger", "is missing"),
        (
            {"name": "schedule", "strategies": [UNIFORM, *[{**UNIFORM, "from_trigger": 2}] * 2]},
            "strategies.2.from_trigger",
            "is 2, and the strategy before it selects from 2 on; write a later one.",
        ),
        ({"name": "schedule", "strategies": [UNIFORM, {"name": "schedule"}]}, "strategies.1.name", "cannot stand here"),
        ({"name": "latest", "limit": 5, "warm_upp": 1}, "warm_upp", "is not a key here; did you mean warm_up?"),
        ({"name": "latest", "limit": 5, "warm_up": -1}, "warm_up", "-1 is not a whole number of at least 0."),
        ({"name": "latest", "limit": 5, "balance": "trigger"}, "balance", "'trigger' is unknown; known: label."),
        ({"name": "new_data", "reset_on_trigger": True}, "reset_on_trigger", "has no meaning, as new_data selects"),
        ({**MIX, "reset_on_trigger": True}, "reset_on_trigger", "earlier triggers, by which replay_mix selects"),
        ({**FRESH, "reset_on_trigger": True}, "reset_on_trigger", "earlier triggers, by which freshness selects"),
        (
            {
                "name": "schedule",
                "strategies": [
                    {"name": "all_data"},
                    {"name": "pipeline", "stages": [FRESH, UNIFORM], "from_trigger": 2},
                ],
                "reset_on_trigger": True,
            },
            "reset_on_trigger",
            "earlier triggers, by which freshness selects",
        ),
        ({**BALANCED, "balance": "label"}, "balance", "has no meaning, as balanced selects as many rows of each"),
        ({"name": "pipeline", "stages": [UNIFORM, BALANCED], "balance": "label"}, "balance", "as pipeline selects as"),
        ({"name": "pipeline", "stages": [UNIFORM, {"name": "rs2", "share": 1}]}, "stages.1.share", "1 is all rows in"),
        ({"name": "new_data", "tail": 10**12}, "tail", "is too large; at most 1000000 can be used."),
        ({**UNIFORM, "tail": 10**12}, "tail", "is too large; at most 1000000 can be used."),
        ({**MIX, "tail": 10**12}, "tail", "is too large; at most 1000000 can be used."),
        ({**UNIFORM, "tail": 2, "reset_on_trigger": True}, "reset_on_trigger", "leaves no rows of earlier triggers"),
        ({"name": "recency", "half_life": "1d", "balance": "label"}, "balance", "would undo what the weights"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_refused(block: dict[str, Any], path: str, sentence: str) -> None:
    """At its key, with what to write instead."""
    told = one(refused(block))
    assert told[0] == path
    assert sentence in told[1]


@pytest.mark.parametrize(
    "block",
    [
        {**BALANCED, "limit": 9, "balance": "label"},
        {"name": "class_balanced_reservoir", "limit": 9, "balance": "label"},
        {"name": "herding", "limit": 9, "reset_on_trigger": True},
        {"name": "pipeline", "stages": [UNIFORM, {"name": "new_data", "limit": 5}]},
        {"name": "loss", "fraction": 1, "mode": "batch_then_sample"},
        {"name": "pipeline", "stages": [{**UNIFORM, "seed": 3}, {**UNIFORM, "seed": 3}]},
    ],
)
def test_what_has_a_meaning_is_not_refused(block: dict[str, Any]) -> None:
    """A limit is filled with what small labels lack, which balancing then takes; draws leave out what they repeat."""
    StrategyBlock("").deserialize(block)


def test_all_mistakes_are_told() -> None:
    """Of what is said of any, and of each stage."""
    stages = [{"name": "uniform", "fraction": 3}, {"name": "latest"}]
    assert refused({"name": "pipeline", "warm_up": "x", "stages": stages}).keys() == {"warm_up", "stages"}


def test_names_within_are_found() -> None:
    """So that a worker says which of them it lacks."""
    strategy = load_named(NESTED)
    assert [(path, name) for path, name, _ in strategies_within(strategy.name, strategy.options)] == [
        ("strategy", "schedule"),
        ("strategy.strategies.0", "all_data"),
        ("strategy.strategies.1", "pipeline"),
        ("strategy.strategies.1.stages.0", "uniform"),
        ("strategy.strategies.1.stages.1", "balanced"),
    ]
    assert strategy_of(strategy).selects_all


def load_named(block: dict[str, Any]) -> TrainingStrategy:
    """A strategy as workers get it."""
    loaded = StrategyBlock("").deserialize(block)
    return TrainingStrategy(**loaded)


def test_what_trains_from_scratch_does_so_within_others(tmp_path: Path) -> None:
    """A pipeline or schedule with gdumb in it is refused where trainings go on from a model."""
    for strategy, path in (
        ("{name: pipeline, stages: [{name: gdumb, limit: 9}, {name: uniform, fraction: 0.5}]}", "stages.0"),
        ("{name: schedule, strategies: [{name: all_data}, {name: gdumb, limit: 9, from_trigger: 2}]}", "strategies.1"),
    ):
        with pytest.raises(ConfigurationError, match=rf"{path}.name: gdumb trains from scratch on what it remembers"):
            load(tmp_path, f"strategy: {strategy}\n")
        load(tmp_path, f"strategy: {strategy}\ntraining: {{use_previous_model: false}}\n")

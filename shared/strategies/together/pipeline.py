"""Strategy pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.schema.strategy import NestedStrategy
from shared.strategies.together.members import members_of
from shared.strategies.together.stages import Stages

_TAKE_ALL = ("new_data", "all_data")  # that they are asked for, without `limit`


class Pipeline(Stages):
    """Strategies one behind the other: each selects from the rows that the one before it selected."""

    class Schema(f.Group):
        """Its options."""

        stages = f.Sequence(
            NestedStrategy(
                "a strategy",
                without=("pipeline", "schedule"),
                why="write all stages in one list, or a schedule with pipelines in it",
            ),
            "the strategies, of which the first selects from what is known",
            required=True,
        )

        @f.validates_schema
        def _each_in_its_place(self, data: Mapping[str, Any], **kwargs: Any) -> None:
            if len(data["stages"]) == 1:
                raise ValidationError({"stages": ["has one entry; write that strategy itself, or a second stage."]})
            told = {number: _objections(data["stages"], number) for number in range(len(data["stages"]))}
            if any(told.values()):
                raise ValidationError({"stages": {number: one for number, one in told.items() if one}})

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(members_of(options["stages"]))


def _objections(stages: Sequence[Mapping[str, Any]], number: int) -> dict[str, list[str]]:
    """Key → why a stage cannot stand at its place."""
    name, options, told = stages[number]["name"], stages[number]["options"], dict[str, list[str]]()
    (strategy,) = members_of([stages[number]])
    if strategy.rules and number < len(stages) - 1:
        told["name"] = [f"{name} chooses within the training, behind all other stages; make it the last one."]
    if number == 0:
        return told
    if strategy.observes:
        told["name"] = [f"{name} selects from rows that it remembers, not from other stages'; make it the first one."]
    if options.get("of") == "all":
        told["of"] = ["is for the first stage; this one selects from what the one before it selected; remove it."]
    if options.get("tail") and options.get("by") != "trigger":
        told["tail"] = ["is for the first stage; this one selects from what the one before it selected; remove it."]
    if name in _TAKE_ALL and options.get("limit") is None:
        told["limit"] = [
            f"is missing, and without it {name} takes all that the stage before selected; write one, or no such stage."
        ]
    return told

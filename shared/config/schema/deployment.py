"""`deployment:` when a model goes out, and where."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.paths import with_home
from shared.config.schema.chosen import Chosen
from shared.plugins import TARGETS


class Gate(f.Group):
    """`deployment.gate:`."""

    metric = f.Text("one of evaluation.metrics", required=True)
    on = f.Text("a `last` window of evaluation.on", required=True)
    at_least = f.Number("what the metric must reach (at most, where less is better)", load_default=None)
    not_worse_by = f.Number("how much worse than the deployed model it may be", least=0, load_default=None)

    @f.validates_schema
    def _asks_something(self, data: dict[str, Any], **_: Any) -> None:
        if data["at_least"] is None and data["not_worse_by"] is None:
            raise ValidationError({"metric": ["the gate asks nothing; add at_least or not_worse_by."]})


class Deployment(f.Group):
    """`deployment:`."""

    gate = f.Sub(Gate, "what a model must reach; else each one is deployed", load_default=None)
    targets = f.Sequence(
        Chosen(TARGETS, "", key="kind", example="{kind: directory, uri: deployed}", later=("http", "s3", "registry")),
        "where it goes",
        required=True,
    )

    @f.validates_schema
    def _distinct(self, data: dict[str, Any], **_: Any) -> None:
        targets = [one["options"] for one in data["targets"]]
        names = [name_of_target(one) for one in targets]
        for number, name in enumerate(names):
            sentence = f"{name} is the name of two targets; give one of them another with `name:`."
            if name in ("", ".", ".."):
                sentence = f"{targets[number]['uri']} ends in nothing that could be a name; write `name:`."
            if name in ("", ".", "..", *names[:number]):
                raise ValidationError({"targets": {number: {"name": [sentence]}}})
        places = [posixpath.normpath(with_home(one["uri"])) for one in targets]
        for number, place in enumerate(places):
            if place in places[:number]:
                sentence = f"{targets[number]['uri']} is the place of two targets; keep one of them."
                raise ValidationError({"targets": {number: {"uri": [sentence]}}})


def name_of_target(options: Mapping[str, Any]) -> str:
    """What a target is called: as the file says, else the last part of its uri."""
    return str(options["name"] or options["uri"].rstrip("/").rsplit("/", 1)[-1])

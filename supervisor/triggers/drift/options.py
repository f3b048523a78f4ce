"""The options of `data_drift`."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from supervisor.triggers.drift.statistic import Statistic
from supervisor.triggers.looks.ranges import Reference
from supervisor.triggers.looks.span import Extent, SpanField
from supervisor.triggers.rules.votes import Votes, refuse_too_many


class DriftOptions(f.Group):
    """Beside `policy: data_drift`."""

    every = SpanField("rows, or event time, from one look to the next; else as much as the window", load_default=None)
    window = f.Sub(
        Extent,
        "the newest rows, which are compared, else 500; windows overlap where they are longer than every",
        load_default=lambda: Extent().load({"rows": 500}),
    )
    reference = Reference(
        "what they are compared with: so much up to the last trigger, or all rows that it brought (since_trigger); "
        "else as much as the window",
        load_default=None,
    )
    most_rows = f.Whole("of a window that are compared; of more, so many are drawn", load_default=20_000)
    space = f.Choice(
        "what of a row is compared: its features, or what enters the last linear layer of the current model",
        "input",
        "embedding",
        load_default="input",
    )
    ignore = f.Sequence(
        f.Text(""),
        "feature columns that are not compared, such as one that follows the seasons (space input)",
        may_be_empty=True,
        load_default=list,
    )
    pca = f.Whole("compare along so many principal components of the reference", load_default=None)
    statistics = f.Sequence(
        f.Sub(Statistic, ""),
        "how far the window is from the reference, and when that fires",
        load_default=lambda: [Statistic().load({"name": "mmd"})],
    )
    combine = Votes("how many of the statistics must fire", load_default="any")

    @f.validates_schema
    def _consistent(self, data: dict[str, Any], **_: Any) -> None:
        data["every"] = data["every"] or dict(data["window"])
        data["reference"] = data["reference"] or dict(data["window"])
        names = [one["name"] for one in data["statistics"]]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise ValidationError({"statistics": {number: {"name": [f"{name} stands here twice; keep one."]}}})
        if data["ignore"] and data["space"] != "input":
            raise ValidationError(
                {"ignore": ["an embedding has no columns to leave out; write space: input, or none."]}
            )
        refuse_too_many(data["combine"], len(names))

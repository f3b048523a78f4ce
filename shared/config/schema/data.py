"""`data:` which dataset, and how its rows are shared out."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f


class Split(f.Group):
    """`data.split:`."""

    test = f.Number("share of rows kept for tests", least=0, below=1, load_default=0.0)
    validation = f.Number("share of rows kept for validation", least=0, below=1, load_default=0.0)
    by = f.Text("column whose equal values stay together", load_default=None)

    @f.validates_schema
    def _leaves_some(self, data: dict[str, Any], **_: Any) -> None:
        if data["test"] + data["validation"] >= 1:
            raise ValidationError({"test": ["test and validation together leave nothing to train on."]})


class Data(f.Group):
    """`data:`."""

    dataset = f.Text("one of config.yaml's storage.datasets", required=True)
    split = f.Sub(
        Split, "shares of rows never trained on", load_default=lambda: {"test": 0.0, "validation": 0.0, "by": None}
    )
    label_delay_s = f.Duration(
        "of event time: how long after its row the label in it is known", least_s=0, load_default=0.0,
        data_key="label_delay",
    )  # fmt: skip

"""`logging:` what is written where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f


class LogTarget(f.Text):
    """`terminal`, or `file:` and a name that no other file of the run directory has."""

    kind = "terminal | file:NAME.log"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value == "file:workers.log":
            raise ValidationError("workers.log is what the workers say; choose another name.")
        if value != "terminal" and not re.fullmatch(r"file:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}\.log", str(value)):
            raise ValidationError(
                f"{f.quoted(value)} is neither terminal nor file:NAME.log (a name in the run directory)."
            )
        return value


class Logging(f.Group):
    """`logging:`."""

    level = f.Choice("what is worth a line", "debug", "info", "warning", "error", load_default="info")
    to = f.Sequence(LogTarget(""), "where lines go", load_default=lambda: ["terminal", "file:run.log"])
    tensorboard = f.Only("TensorBoard files", False)
    metrics_every_batches = f.Whole(
        "batches between two looks at the loss; progress is reported once a second at most", load_default=50
    )

    @f.validates_schema
    def _each_place_once(self, data: dict[str, Any], **_: Any) -> None:
        for number, place in enumerate(data["to"]):
            if place in data["to"][:number]:
                raise ValidationError({"to": {number: [f"{place} stands here twice; keep one."]}})

"""`model:` what is trained, and what it starts from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f

BUILT_IN_MODELS = ("logistic", "mlp", "small_cnn", "resnet18", "resnet50", "text_bag")
_LATER_MODELS = ("timm:", "torchvision:", "transformers:")
_IMPORTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


class ModelId(f.Text):
    """A built-in model, or a class to import."""

    kind = " | ".join(BUILT_IN_MODELS) + ' | "package.module:Class"'

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value in BUILT_IN_MODELS:
            return value
        if isinstance(value, str) and value.startswith(_LATER_MODELS):
            raise ValidationError(f"{value} is not available yet; available: {self.kind}.")
        if isinstance(value, str) and _IMPORTED.fullmatch(value):
            return value
        raise ValidationError(f"{f.quoted(value)} is unknown; {f.nearest(str(value), BUILT_IN_MODELS)}")


class Initial(f.Sentence):
    """`random` or `{pretrained: URI}`."""

    kind = "random | {pretrained: URI}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value == "random":
            return None
        if isinstance(value, dict) and list(value) == ["pretrained"] and isinstance(value["pretrained"], str):
            return value["pretrained"]
        raise ValidationError(f"{f.quoted(value)} is neither random nor {{pretrained: URI}}.")


class Model(f.Group):
    """`model:`."""

    id = ModelId("which model", required=True)
    framework = f.Choice("what it is built with", "pytorch", later=("tensorflow",), load_default="pytorch")
    config = f.Arguments("its constructor's arguments", load_default=dict)
    pretrained_uri = Initial("what the first training starts from", load_default=None, data_key="initial")

"""A rule of the training: what decides, epoch by epoch or batch by batch, which rows of its set are learned from."""

from __future__ import annotations

from typing import Any

import msgspec


class TrainingRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule by its name and options, as it stands in the metadata of a training set."""

    name: str
    options: dict[str, Any]

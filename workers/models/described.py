"""A model in a few words, for whoever looks at one at a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.class_names import told
from workers.models.model_file import Header

_FEW = 8


def described(
    header: Header, record: Mapping[str, Any], classes: int | None, names: Sequence[str] | None, columns: Sequence[str]
) -> str:
    """Who it is, what it tells apart or estimates, and what it reads. `record`: what model.json says of it, or none."""
    learned = "estimates numbers" if classes is None else f"{classes} classes ({_classes(classes, names)})"
    read = ", ".join(columns[:_FEW]) + (f" … ({len(columns)} columns)" if len(columns) > _FEW else "")
    deployed = f"; deployed {record['deployed_at']}" if record.get("deployed_at") else ""
    return f"{_who(record)}: {header.model.name}, {learned}, reads {read}{deployed}"


def _classes(classes: int, names: Sequence[str] | None) -> str:
    """Their names; numbers, where they have none."""
    return told(names) if names is not None else "0, 1" if classes == 2 else f"0 … {classes - 1}"


def _who(record: Mapping[str, Any]) -> str:
    """Which one of which pipeline."""
    number, pipeline = record.get("trigger"), record.get("pipeline")
    return ("model" if number is None else f"model {number}") + (f" of {pipeline}" if pipeline else "")

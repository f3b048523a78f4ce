"""`policies:` of an ensemble: `trigger:` blocks by name, or as a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.config.resolved import as_written
from supervisor.triggers.together.nested import NestedBlock

_NAME = f.Name("")
_BLOCK = NestedBlock("one that votes")


class Members(f.Sentence):
    """Names and blocks; those of a list have their policies' names, numbered from the second of a kind on.

    Loads as {name: block}.
    """

    kind = "list of groups such as `trigger:`, or {NAME: group}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, list | dict) or not value:
            example = "[{policy: time, every: 7d}, {policy: data_amount, every: 5000}]"
            raise ValidationError(f"{f.quoted(value)} names no policies; write such as {example}.")
        blocks: dict[Any, Any] = {}
        errors: dict[Any, Any] = {}
        for name, given in value.items() if isinstance(value, dict) else enumerate(value):
            try:
                if isinstance(value, dict):
                    _NAME.deserialize(name)
                blocks[name] = _BLOCK.deserialize(given)
            except ValidationError as error:
                errors[name] = error.messages
        if errors:
            raise ValidationError(errors)
        return blocks if isinstance(value, dict) else _named(blocks.values())

    def written(self, value: Any) -> Any:
        """A list, where that gives the same names."""
        blocks = [as_written(_BLOCK, block) for block in value.values()]
        listed = list(value) == list(_named(value.values()))
        return blocks if listed else dict(zip(value, blocks, strict=True))


def _named(blocks: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`time`, `data_amount`, `time 2`."""
    named: dict[str, Any] = {}
    counts = Counter[str]()
    for block in blocks:
        kind = block["name"]
        counts[kind] += 1
        named[kind if counts[kind] == 1 else f"{kind} {counts[kind]}"] = block
    return named

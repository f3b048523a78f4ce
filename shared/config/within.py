"""The strategies that stand in pipeline.yaml: the pipeline's own, and those of which it is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Placed(NamedTuple):
    """One strategy, and where it stands."""

    path: str  # of its group, such as `strategy.stages.1`
    name: str
    options: dict[str, Any]  # not a copy


def strategies_within(name: str, options: dict[str, Any], path: str = "strategy") -> Iterator[Placed]:
    """The strategy of this name and options, as its schema loads them, and those that these name, however deep."""
    yield Placed(path, name, options)
    for key, option in options.items():
        for number, one in enumerate(option if isinstance(option, list) else []):
            if isinstance(one, Mapping) and {"name", "options"} <= one.keys():
                yield from strategies_within(one["name"], one["options"], f"{path}.{key}.{number}")

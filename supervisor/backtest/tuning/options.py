"""Which options of a `trigger:` block may be fitted: those that the policies' schemas mark, and what they are now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import msgspec
from marshmallow.fields import Field

from shared.config import fields as f
from shared.config.load import Configuration
from shared.config.resolved import as_written
from shared.config.schema.chosen import Chosen
from shared.config.schema.trigger import TriggerBlock, option_of
from shared.plugins import GUARDS
from supervisor.triggers.together.members import Members
from supervisor.triggers.together.nested import NestedBlock

Block = Mapping[str, Any]  # as a file writes it
_Path = tuple[str | int, ...]


class Option(NamedTuple):
    """One, as the file writes it, or as it is meant where the file does not."""

    path: _Path
    value: Any
    tuned: f.Tuned
    is_written: bool
    group: tuple[_Path, Any] | None  # path and values of the group that it stands in, where the file has none

    @property
    def key(self) -> str:
        """Dotted; entries of lists by number."""
        return ".".join(map(str, self.path))

    @property
    def whole(self) -> str | None:
        """The key of what this is a part of."""
        return None if self.tuned.within is None else ".".join(map(str, (*self.path[:-1], self.tuned.within)))


def with_option(block: Block, option: Option, value: Any) -> dict[str, Any]:
    """The block with another value of one of its options.

    Raises LookupError or TypeError where the block has no place for it.
    """
    changed: dict[str, Any] = deepcopy(dict(block))
    if option.group is not None:
        _put(changed, *option.group)
    _put(changed, option.path, plain(value))
    return changed


def plain(value: Any) -> Any:
    """A value as people write it: without a fraction where it has none."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def options_of(block: Block, configuration: Configuration) -> list[Option]:
    """Those that may be fitted, in the order of the schema. `configuration`: what the block was loaded into."""
    field = TriggerBlock("")
    full = as_written(field, msgspec.to_builtins(configuration.pipeline.trigger))
    return list(_of_block(field, _Place(block, full, (), None)))


def named(block: Block, key: str) -> Option:
    """Any option, by its dotted key, with what the block itself says; None: nothing."""
    path: list[str | int] = []
    value: Any = block
    for part in key.split("."):
        at = int(part) if isinstance(value, list) and part.isdecimal() else part
        has = (isinstance(at, int) and at < len(value)) or (isinstance(value, dict) and at in value)
        path, value = [*path, at], value[at] if has else None
    return Option(tuple(path), value, f.Tuned(), value is not None, None)


class _Place(NamedTuple):
    """Where one is in a block."""

    given: Any  # what the file says; None: nothing
    full: Any  # with what is meant where it says nothing
    path: _Path
    group: tuple[_Path, Any] | None

    def below(self, key: str | int, full: Any) -> _Place:
        """At a key, or a number in a list. What the file does not say there is written before what stands below."""
        given = self.given[key] if self._says(key) else None
        path = (*self.path, key)
        group = (path, deepcopy(full)) if given is None and self.group is None else self.group
        return _Place(given, full, path, group)

    def _says(self, key: str | int) -> bool:
        return self.given is not None and (isinstance(key, int) or key in self.given)


def _of_block(field: Chosen, place: _Place) -> Iterator[Option]:
    """Those of the policy, and of the guards around it."""
    yield from _of_group(field.schema(place.full[field.key]), place)
    for name in GUARDS:
        if name in place.full:
            yield from _of_field(option_of(name), name, place)


def _of_group(schema: type[f.Group], place: _Place) -> Iterator[Option]:
    for name, field in schema().fields.items():
        yield from _of_field(field, field.data_key or name, place)


def _of_field(field: Field[Any], key: str, place: _Place) -> Iterator[Option]:
    if isinstance(field, f.Sentence) and field.tuned is not None:
        yield from _itself(field.tuned, key, place)
        return
    full = place.full.get(key)
    if full is None:
        return
    below = place.below(key, full)
    match field:
        case f.Sub():
            yield from _of_group(field.schema, below)
        case f.Sequence(item=f.Sub() as item):
            for number, one in enumerate(full):
                yield from _of_group(item.schema, below.below(number, one))
        case Members():
            blocks = full.values() if isinstance(full, dict) else full  # in the order of the file, which may differ
            names = below.given if isinstance(below.given, dict) else range(len(below.given))
            for name, one in zip(names, blocks, strict=True):
                yield from _of_block(NestedBlock(""), below.below(name, one))
        case Chosen():
            yield from _of_block(field, below)


def _itself(tuned: f.Tuned, key: str, place: _Place) -> Iterator[Option]:
    """With its value, where it has one, as a number that may have a fraction if its field takes these."""
    value = place.full.get(key)
    if value is None and tuned.otherwise is not None:
        value = place.full
        for part in tuned.otherwise.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    given = place.given or {}
    if key in given and not isinstance(value, float):
        value = given[key]
    if value is not None:
        yield Option((*place.path, key), value, tuned, key in given, place.group)


def _put(block: Any, path: _Path, value: Any) -> None:
    *way, last = path
    for part in way:
        block = block.setdefault(part, {}) if isinstance(block, dict) else block[part]
    block[last] = value

"""The nodes of a YAML text as the values that people mean, with the line and the mistakes of each."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml

from shared.config import secrets
from shared.config.changes import Change, put
from shared.errors import ConfigurationError

_MOST_VALUES = 100_000  # anchors can multiply a few lines into more than memory holds


class Loader(yaml.SafeLoader):
    """YAML as people mean it: `on`, `off`, `yes` and `no` are words, 010 is no octal and 1:30 no number at all."""


_TAGS = ("!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!merge")
_REPLACED = ("!!bool", "!!timestamp", "!!int", "!!float")


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if _short(tag) not in _REPLACED]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F]+)$"), list("-+0123456789")
)
# YAML 1.1 wants a dot in a float; people write 1e-3.
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$"
    ),
    list("-+0123456789."),
)


@lru_cache(maxsize=16)  # of runs side by side, many have the same files
def _composed(text: str) -> yaml.Node | None:
    """The tree of a text, which nobody changes."""
    return yaml.compose(text, Loader)


class Reader:
    """Turns nodes into values, and notes lines and mistakes on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[str, int] = {}
        self.mistakes: list[tuple[str, str]] = []
        self.empty: list[str] = []
        self.changes: list[Change] = []
        self._scalars = Loader("")

    def read(self, text: str, path: str = "") -> Any:
        """The values of a text that stands at a key of the file. Raises ConfigurationError where it is no YAML."""
        try:
            node = _composed(text)
            return None if node is None else self._value(node, path)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            column = f":{mark.column + 1}" if mark else ""
            remedy = "put that value in quotes" if "'%'" in str(error.problem) else "check indentation and quotes"
            where = self._place(mark.line + 1 if mark else 1, column)
            raise ConfigurationError(f"{where}: is not YAML: {error.problem}; {remedy}.") from None
        except yaml.YAMLError as error:
            raise ConfigurationError(f"{self._place(1)}: is not YAML: {str(error).splitlines()[0]}") from None
        except RecursionError:
            raise ConfigurationError(
                f"{self._place(1)}: holds an anchor inside itself, or thousands of levels; unfold it."
            ) from None

    def change(self, written: dict[str, Any], change: Change) -> None:
        """Put what the command line says into the place of what the file says. Raises ConfigurationError."""
        own = _OneSetting(str(change))
        value = own.read(change.text, change.key)
        if not own.lines:
            raise ConfigurationError(f"{change}: gives no value; write null for none.")
        told = put(written, change.key, value)
        if told is not None:
            raise ConfigurationError(f"{change}: {told}")
        self.mistakes = [one for one in self.mistakes if not change.is_about(one[0])] + own.mistakes
        self.empty = [one for one in self.empty if not change.is_about(one) and not change.key.startswith(f"{one}.")]
        self.empty += own.empty
        self.changes.append(change)

    def filled(self, value: Any, path: str) -> Any:
        """The value with each `${NAME}` filled in from the environment."""
        if isinstance(value, dict):
            return {key: self.filled(one, f"{path}.{key}" if path else key) for key, one in value.items()}
        if isinstance(value, list):
            return [self.filled(one, f"{path}.{number}") for number, one in enumerate(value)]
        if not isinstance(value, str):
            return value
        text, missing = secrets.fill(value)
        change = next((one for one in self.changes if one.is_about(path)), None)
        where = self._place(self.lines.get(path, 1)) if change is None else str(change)
        for name in missing:
            self.mistakes.append((path, f"{where}: {path}: the environment has no {name}; export it first."))
        return text

    def _value(self, node: yaml.Node, path: str) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if len(self.lines) > _MOST_VALUES:
            raise ConfigurationError(f"{self._place(1)}: holds more than {_MOST_VALUES} values; shorten it.")
        if _short(node.tag) not in _TAGS:
            self._problem(node, path, f"has the tag {_short(node.tag)}, which means nothing here; remove it.")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, f"{path}.{number}") for number, item in enumerate(node.value)]
        try:
            return self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError):
            return node.value

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(getattr(key_node, "value", ""))
            at = f"{path}.{key}" if path else key
            if key in values:
                self._problem(key_node, at, "stands here a second time; keep one of the two.")
            self.lines[at] = key_node.start_mark.line + 1
            values[key] = self._value(value_node, at)
            if values[key] is None and not value_node.value:
                self.empty.append(at)
        return values

    def _problem(self, node: yaml.Node, path: str, told: str) -> None:
        self.mistakes.append((path, f"{self._place(node.start_mark.line + 1)}: {path}: {told}"))

    def _place(self, line: int, column: str = "") -> str:
        return f"{self.name}:{line}{column}"


class _OneSetting(Reader):
    """Reads what stands on the command line, which has no lines."""

    def _place(self, line: int, column: str = "") -> str:
        return self.name

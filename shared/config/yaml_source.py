"""A YAML file with the line of every key, so that each error can say where it is; and values back into YAML."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from shared.config import secrets
from shared.errors import ConfigurationError

_MOST_VALUES = 100_000  # anchors can multiply a few lines into more than memory holds


class _Loader(yaml.SafeLoader):
    """YAML as people mean it: `on`, `off`, `yes` and `no` are words, 010 is no octal and 1:30 no number at all."""


_TAGS = ("!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!merge")
_REPLACED = ("!!bool", "!!timestamp", "!!int", "!!float")


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if _short(tag) not in _REPLACED]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F]+)$"), list("-+0123456789")
)
# YAML 1.1 wants a dot in a float; people write 1e-3.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$"
    ),
    list("-+0123456789."),
)


class _Dumper(yaml.SafeDumper):
    """Quotes each text that `_Loader`, or any other reader of YAML, would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # PyYAML reads Unicode's line breaks as spaces, unless they are escaped
        style = '"' if re.search("[\x85\u2028\u2029]", data) else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


_Dumper.yaml_implicit_resolvers = {
    letter: [*yaml.SafeDumper.yaml_implicit_resolvers.get(letter, ()), *resolvers]
    for letter, resolvers in _Loader.yaml_implicit_resolvers.items()
}
_Dumper.add_representer(str, _Dumper.represent_str)


class Source:
    """What a file says, and on which line it says what.

    `written` is `values` before the environment filled in `${NAME}`. `mistakes` are those of the text, whatever its
    keys mean: key path and sentence. `empty` are keys with nothing behind them, not even `null`.
    """

    def __init__(self, path: Path, written: dict[str, Any], values: dict[str, Any], reader: _Reader) -> None:
        self.path = path
        self.written = written
        self.values = values
        self.mistakes = tuple(reader.mistakes)
        self.empty = tuple(reader.empty)
        self._lines = reader.lines

    def is_mistaken(self, key_path: str) -> bool:
        """Whether the text itself has a mistake at this key, or at one that it stands below."""
        return any(f"{key_path}.".startswith(f"{path}.") for path, _ in self.mistakes)

    def line(self, key_path: str) -> int:
        """The line of the key at this dotted path, or of its nearest ancestor that the file has."""
        parts = key_path.split(".")
        while parts and ".".join(parts) not in self._lines:
            parts.pop()
        return self._lines.get(".".join(parts), 1)

    def where(self, key_path: str) -> str:
        """`pipeline.yaml:12` for the key at this dotted path."""
        return f"{self.path.name}:{self.line(key_path)}"


def read_yaml(path: Path) -> Source:
    """Read a file of keys and values, with `${NAME}` filled in from the environment.

    Raises ConfigurationError for what cannot be read at all.
    """
    name = path.name
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"{path}:1: there is no such file; check the path.") from None
    except OSError as error:
        raise ConfigurationError(f"{path}:1: cannot be read as a file ({error.strerror}); check the path.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name}:1: is not UTF-8 text; save it as UTF-8.") from None
    try:
        root = _composed(text)
        if not isinstance(root, yaml.MappingNode):
            raise ConfigurationError(f"{name}:1: holds no `key: value` pairs; see docs/configuration.md.")
        reader = _Reader(name)
        written = reader.value(root, "")
        values = reader.filled(written, "")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{mark.line + 1}:{mark.column + 1}" if mark else "1"
        remedy = "put that value in quotes" if "'%'" in str(error.problem) else "check indentation and quotes"
        raise ConfigurationError(f"{name}:{place}: is not YAML: {error.problem}; {remedy}.") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{name}:1: is not YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ConfigurationError(
            f"{name}:1: holds an anchor inside itself, or thousands of levels; unfold it."
        ) from None
    return Source(path.resolve(), written, values, reader)


@lru_cache(maxsize=2)  # of runs side by side, many have the same config.yaml
def _composed(text: str) -> yaml.Node | None:
    """The tree of a text, which nobody changes."""
    return yaml.compose(text, _Loader)


def yaml_text(values: dict[str, Any]) -> str:
    """The text of a file that says these values, in their order; no text is folded to a width."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize)


class _Reader:
    """Turns nodes into values, and notes lines and mistakes on the way."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.lines: dict[str, int] = {}
        self.mistakes: list[tuple[str, str]] = []
        self.empty: list[str] = []
        self._scalars = _Loader("")

    def value(self, node: yaml.Node, path: str) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if len(self.lines) > _MOST_VALUES:
            raise ConfigurationError(f"{self._name}:1: holds more than {_MOST_VALUES} values; shorten it.")
        if _short(node.tag) not in _TAGS:
            self._problem(node, path, f"has the tag {_short(node.tag)}, which means nothing here; remove it.")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, f"{path}.{number}") for number, item in enumerate(node.value)]
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
            values[key] = self.value(value_node, at)
            if values[key] is None and not value_node.value:
                self.empty.append(at)
        return values

    def filled(self, value: Any, path: str) -> Any:
        """The value with each `${NAME}` filled in from the environment."""
        if isinstance(value, dict):
            return {key: self.filled(one, f"{path}.{key}" if path else key) for key, one in value.items()}
        if isinstance(value, list):
            return [self.filled(one, f"{path}.{number}") for number, one in enumerate(value)]
        if not isinstance(value, str):
            return value
        text, missing = secrets.fill(value)
        for name in missing:
            where = f"{self._name}:{self.lines[path]}"
            self.mistakes.append((path, f"{where}: {path}: the environment has no {name}; export it first."))
        return text

    def _problem(self, node: yaml.Node, path: str, told: str) -> None:
        self.mistakes.append((path, f"{self._name}:{node.start_mark.line + 1}: {path}: {told}"))

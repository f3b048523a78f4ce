"""A YAML file with the line of every key, so that each error can say where it is."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml

from shared.errors import ConfigurationError

_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class _Loader(yaml.SafeLoader):
    """YAML as people mean it: `on`, `off`, `yes` and `no` are words, only `true` and `false` are booleans."""


_Loader.yaml_implicit_resolvers = {
    letter: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
    ]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
# YAML 1.1 wants a dot in a float; people write 1e-3.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?\d+(?:\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


class Source:
    """What a file says, and on which line it says what."""

    def __init__(self, path: Path, values: dict[str, Any], lines: dict[str, int]) -> None:
        self.path = path
        self.values = values
        self._lines = lines

    def where(self, key_path: str) -> str:
        """`pipeline.yaml:12` for the key at this dotted path, or its nearest ancestor that the file has."""
        parts = key_path.split(".")
        while parts and ".".join(parts) not in self._lines:
            parts.pop()
        return f"{self.path.name}:{self._lines.get('.'.join(parts), 1)}"


def read_yaml(path: Path, *, environment: bool = False) -> Source:
    """Read a file of keys and values; `environment` fills in `${NAME}`. Raises ConfigurationError."""
    name = path.name
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"{path}:1: there is no such file; check the path.") from None
    except (IsADirectoryError, PermissionError) as error:
        raise ConfigurationError(f"{path}:1: cannot be read as a file ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name}:1: is not UTF-8 text; save it as UTF-8.") from None
    try:
        root = yaml.compose(text, _Loader)
        if not isinstance(root, yaml.MappingNode):
            raise ConfigurationError(f"{name}:1: holds no `key: value` pairs; see docs/configuration.md.")
        reader = _Reader(name, environment)
        values = reader.value(root, "")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{mark.line + 1}:{mark.column + 1}" if mark else "1"
        raise ConfigurationError(
            f"{name}:{place}: is not YAML: {error.problem}; check indentation and quotes."
        ) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{name}:1: is not YAML: {str(error).splitlines()[0]}") from None
    if reader.problems:
        raise ConfigurationError(*reader.problems)
    return Source(path.resolve(), values, reader.lines)


class _Reader:
    """Turns nodes into values, and notes lines and mistakes on the way."""

    def __init__(self, name: str, environment: bool) -> None:
        self._name = name
        self._environment = environment
        self.lines: dict[str, int] = {}
        self.problems: list[str] = []
        self._scalars = _Loader("")

    def value(self, node: yaml.Node, path: str) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, f"{path}.{number}") for number, item in enumerate(node.value)]
        try:
            found = self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError):
            found = node.value
        return self._filled(found, path) if isinstance(found, str) and self._environment else found

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(getattr(key_node, "value", ""))
            at = f"{path}.{key}" if path else key
            if key in values:
                line = key_node.start_mark.line + 1
                self.problems.append(f"{self._name}:{line}: {at}: stands here a second time; keep one of the two.")
            self.lines[at] = key_node.start_mark.line + 1
            values[key] = self.value(value_node, at)
        return values

    def _filled(self, text: str, path: str) -> str:
        def one(match: re.Match[str]) -> str:
            if match[1] not in os.environ:
                self.problems.append(
                    f"{self._name}:{self.lines[path]}: {path}: the environment has no {match[1]}; export it first."
                )
            return os.environ.get(match[1], "")

        return _ENVIRONMENT.sub(one, text)

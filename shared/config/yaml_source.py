"""A YAML file with the line of every key, so that each error can say where it is; and values back into YAML."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from shared.config.changes import Change
from shared.config.yaml_reader import Loader, Reader
from shared.errors import ConfigurationError


class _Dumper(yaml.SafeDumper):
    """Quotes each text that `Loader`, or any other reader of YAML, would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # PyYAML reads Unicode's line breaks as spaces, unless they are escaped
        style = '"' if re.search("[\x85\u2028\u2029]", data) else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


_Dumper.yaml_implicit_resolvers = {
    letter: [*yaml.SafeDumper.yaml_implicit_resolvers.get(letter, ()), *resolvers]
    for letter, resolvers in Loader.yaml_implicit_resolvers.items()
}
_Dumper.add_representer(str, _Dumper.represent_str)


class Source:
    """What a file says, and on which line it says what; and what the command line has put into its place.

    `written` is `values` before the environment filled in `${NAME}`. `mistakes` are those of the text, whatever its
    keys mean: key path and sentence. `empty` are keys with nothing behind them, not even `null`.
    """

    def __init__(self, path: Path, written: dict[str, Any], values: dict[str, Any], reader: Reader) -> None:
        self.path = path
        self.written = written
        self.values = values
        self.mistakes = tuple(reader.mistakes)
        self.empty = tuple(reader.empty)
        self._lines, self._changes = reader.lines, tuple(reader.changes)

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
        """`pipeline.yaml:12` for the key at this dotted path; `--set KEY=VALUE` where the command line says it."""
        change = self._change(key_path)
        return f"{self.path.name}:{self.line(key_path)}" if change is None else str(change)

    def told(self, key_path: str) -> str:
        """`pipeline.yaml:12: trigger.every` for the key at this dotted path, as an error begins."""
        return f"{self.where(key_path)}: {key_path}"

    def _change(self, key_path: str) -> Change | None:
        """The setting of the command line that says this key, or for which the group was made that it is."""
        made = key_path not in self._lines
        told = (one for one in self._changes if one.is_about(key_path) or (made and one.key.startswith(f"{key_path}.")))
        return next(told, None)


def read_yaml(path: Path, changes: Sequence[Change] = ()) -> Source:
    """Read a file of keys and values, with `changes` made, and `${NAME}` filled in from the environment.

    Raises ConfigurationError for what cannot be read at all.
    """
    name = path.name
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: there is no such file; check the path.") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read as a file ({error.strerror}); check the path.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name}:1: is not UTF-8 text; save it as UTF-8.") from None
    reader = Reader(name)
    written = reader.read(text)
    if not isinstance(written, dict):
        raise ConfigurationError(f"{name}:1: holds no `key: value` pairs; see docs/configuration.md.")
    for change in changes:
        reader.change(written, change)
    values = reader.filled(written, "")
    return Source(path.resolve(), written, values, reader)


def yaml_line(value: Any) -> str:
    """A value in YAML's flow style, on one line."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize, default_flow_style=True
    )
    return text.removesuffix("...\n").strip()


def yaml_text(values: dict[str, Any]) -> str:
    """The text of a file that says these values, in their order; no text is folded to a width."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize)

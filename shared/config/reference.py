"""docs/configuration.md: every key of both files, written from the schemas. `python -m shared.config.reference`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
from marshmallow.fields import Field

from shared.config import fields as f
from shared.config.resolved import as_written, default, is_none
from shared.config.schema.chosen import Chosen
from shared.config.schema.dataset import Dataset, Datasets
from shared.config.schema.pipeline import PipelineSchema
from shared.config.schema.policies import PoliciesSchema, PriceField
from shared.config.schema.strategy import StrategyBlock
from shared.config.schema.system import SystemSchema
from shared.config.schema.time_column import TimeColumn
from shared.config.schema.trigger import PRICE, TriggerBlock, option_of
from shared.plugins import GUARDS

_INTRODUCTION = """# Configuration

<!-- Generated: .venv/bin/python -m shared.config.reference > docs/configuration.md -->

A run reads two files. `pipeline.yaml` says what to learn; `config.yaml` says on what system. Every key is listed here.
[Data](data.md) says what datasets may be, and [labels that come late](late-labels.md) when a label is known.
A required key must be given wherever the group that it stands in is given. A key that is not listed is an error, and so
is a value that is marked as not available yet. `./modyn-supervisor validate pipeline.yaml config.yaml --offline` says
all that is wrong with the two files at once, with file and line. `--set KEY=VALUE` on the command line changes a key of
`pipeline.yaml` for one run, and a [sweep](sweeps.md) runs several values of it.

How values are written:

- **duration**: a number and one of `s`, `m`, `h`, `d`, `w`, such as `7d`.
- **ISO 8601 time**: such as `2013-01-01T00:00:00Z`.
- **list of X**: `[X, X]`, or lines that begin with `-`. A path with `[]` is a key of each entry.
- **group**: `key: value` lines below the key.
- Relative paths start at the folder of the file they stand in; `~` is the home folder.
- `${NAME}` in any text is filled in from the environment; a name that is not set is an error. The run directory keeps
  the name.
"""
_HEAD = "| key | type | default | meaning |\n|---|---|---|---|\n"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table."""

    path: str
    kind: str
    default: str
    meaning: str

    def markdown(self) -> str:
        """The line, with the bars inside its cells escaped."""
        cells = (f"`{self.path}`", self.kind, self.default, self.meaning)
        return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


def reference() -> str:
    """The whole page."""
    return "".join(
        [
            _INTRODUCTION,
            *_file("pipeline.yaml", PipelineSchema),
            *_file("config.yaml", SystemSchema),
            *_file(
                "POLICIES.yaml",
                PoliciesSchema,
                "What a back-test tries: `./modyn-supervisor backtest PIPELINE CONFIG POLICIES.yaml`.\n\n",
            ),
        ]
    )


def rows_of(schema: type[f.Group], prefix: str = "") -> Iterator[Row]:
    """A row for each key of a group and of the groups below it, in the order of the schema."""
    for name, field in schema().fields.items():
        path = prefix + (field.data_key or name)
        yield Row(path=path, kind=_kind(field), default=_default(field), meaning=_meaning(field))
        yield from _below(field, path)


def _file(name: str, schema: type[f.Group], told: str = "") -> Iterator[str]:
    yield f"\n## {name}\n\n{told}"
    rows = list(rows_of(schema))
    top = [row for row in rows if "." not in row.path]
    yield _table(top)
    for row in top:
        below = [one for one in rows if one.path.startswith((f"{row.path}.", f"{row.path}[]."))]
        if below:
            yield f"\n### {row.path}\n\n{_table(below)}"
        field = schema().fields.get(row.path)
        if isinstance(field, Chosen):
            yield f"\n### {row.path}\n"
            yield from _variants(row.path, field)


def _variants(path: str, field: Chosen) -> Iterator[str]:
    """The options of each trigger policy or strategy that comes with Modyn."""
    if field.in_config:
        yield f"\nOptions stand beside `{field.key}`, or in `config:` below it.\n"
    for name in field.plugins.own:
        meaning = str(inspect.getdoc(field.plugins[name])).partition("\n")[0].rstrip(".")
        chosen = Row(path=f"{path}.{field.key}", kind=name, default="required", meaning=meaning)
        yield f"\n#### `{path}: {{{field.key}: {name}}}`\n\n"
        yield _table([chosen, *rows_of(field.schema(name), f"{path}.")])
    if isinstance(field, StrategyBlock):
        yield f"\n#### `{path}:` whatever the strategy\n\n"
        yield _table(list(rows_of(field.beside, f"{path}.")))
    if isinstance(field, TriggerBlock) and GUARDS.own:
        yield f"\n#### `{path}:` with any policy\n\n"
        yield _table([row for name in (PRICE, *GUARDS.own) for row in _rows_beside(path, name)])


def _rows_beside(path: str, name: str) -> Iterator[Row]:
    option, at = option_of(name), f"{path}.{name}"
    yield Row(path=at, kind=_kind(option), default="none", meaning=_meaning(option))
    yield from _below(option, at)


def _table(rows: list[Row]) -> str:
    return _HEAD + "".join(row.markdown() for row in rows)


def _below(field: Field[Any], path: str) -> Iterator[Row]:
    if isinstance(field, f.Sub):
        yield from rows_of(field.schema, f"{path}.")
    elif isinstance(field, TimeColumn | PriceField):
        yield from rows_of(field.group, f"{path}.")
    elif isinstance(field, f.Sequence):
        yield from _below(field.item, f"{path}[]")
    elif isinstance(field, StrategyBlock) and path.endswith("[]"):
        yield Row(path=f"{path}.{field.key}", kind="word", default="required", meaning="a strategy, with its options")
        yield from rows_of(field.beside, f"{path}.")
    elif (
        isinstance(field, Chosen) and path.endswith("[]") and not isinstance(field, TriggerBlock)
    ):  # other groups have a section of their own
        kinds = f.Choice("what kind it is", *field.plugins.own, later=field.later)
        yield Row(path=f"{path}.{field.key}", kind=kinds.kind, default="required", meaning=_meaning(kinds))
        yield from rows_of(field.schema(field.plugins.own[0]), f"{path}.")
    elif isinstance(field, Datasets):
        yield from rows_of(Dataset, f"{path}.NAME.")


def _kind(field: Field[Any]) -> str:
    kind = str(getattr(field, "kind", "value"))
    if isinstance(field, f.Whole):
        return f"{kind} ≥ {field.least}"
    if isinstance(field, f.Number) and not isinstance(field, f.PositiveNumber):
        least = "" if field.least == float("-inf") else f" ≥ {field.least:g}"
        return kind + least + ("" if field.below == float("inf") else f" and < {field.below:g}")
    return kind


def _meaning(field: Field[Any]) -> str:
    meaning = str(field.metadata["meaning"])
    later = field.later if isinstance(field, f.Choice) else ()
    return f"{meaning} (not available yet: {', '.join(later)})" if later else meaning


def _default(field: Field[Any]) -> str:
    """The default as it would be written in the file."""
    if field.required:
        return "required"
    value = default(field)
    if is_none(field, value):
        return "none"
    if isinstance(field, f.Sub) and not any(one.required for one in field.schema().fields.values()):
        return "see below"
    return f"`{_flow(as_written(field, value))}`"


def _flow(value: Any) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value) or '""'


if __name__ == "__main__":
    sys.stdout.write(reference())

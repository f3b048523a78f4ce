"""Values back into YAML as the files write them: the resolved files of a run directory, and defaults as one reads them.

What is written here can be loaded again, from any folder, and means the same. Files that mean the same give the same
text, so that a run and the files it is resumed with can be compared line by line.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from marshmallow import missing
from marshmallow.fields import Field

from shared.config import fields as f
from shared.config.pipeline import Pipeline
from shared.config.schema.chosen import Chosen
from shared.config.schema.dataset import Dataset, Datasets
from shared.config.schema.deployment import name_of_target
from shared.config.schema.evaluation import Extent, MetricField, Models
from shared.config.schema.labels import as_given
from shared.config.schema.model import Initial
from shared.config.schema.pipeline import PipelineSchema
from shared.config.schema.strategy import StrategyBlock
from shared.config.schema.system import SystemSchema
from shared.config.schema.time_column import TimeColumn
from shared.config.schema.trigger import PRICE, option_of
from shared.config.secrets import hide_password
from shared.config.system import System
from shared.config.yaml_source import Source, yaml_text
from shared.timestamps import format_timestamp

_SECONDS_PER_UNIT = {"d": 86_400, "h": 3600}


def pipeline_yaml(pipeline: Pipeline, source: Source) -> str:
    """pipeline.yaml with every default filled in and every path absolute; `${NAME}` stays."""
    resolved = _group(PipelineSchema, msgspec.to_builtins(pipeline))
    written, filled = _as_resolved(source.written), _as_resolved(source.values)
    return yaml_text(_with_names(resolved, written, filled, source.path.parent))


def _as_resolved(values: dict[str, Any]) -> dict[str, Any]:
    """What a file says where a resolved one does: a strategy's options beside its name, each target with its name."""
    strategy, deployment = values.get("strategy"), values.get("deployment")
    if isinstance(strategy, dict) and isinstance(strategy.get("config"), dict):
        values = {**values, "strategy": {**strategy, **strategy["config"]}}
    if deployment is not None:
        targets = [{**one, "name": name_of_target({"name": None, **one})} for one in deployment["targets"]]
        values = {**values, "deployment": {**deployment, "targets": targets}}
    return values


def system_yaml(system: System, source: Source) -> str:
    """config.yaml with every default filled in and every path absolute; `${NAME}` stays, passwords are masked."""
    values = msgspec.to_builtins(system)
    values["storage"] = {"datasets": values["datasets"]}
    values["artifacts"] = {"uri": system.artifacts_root or "/"}
    resolved = _group(SystemSchema, values)
    resolved = _with_names(resolved, source.written, source.values, source.path.parent)
    for one in (resolved["broker"], resolved["notification"], *resolved["alerts"]):
        if "url" in one:
            one["url"] = hide_password(one["url"])
    return yaml_text(resolved)


def default(field: Field[Any]) -> Any:
    """What a key means that is not given."""
    value = field.load_default
    return value() if callable(value) else value


def is_none(field: Field[Any], value: Any) -> bool:
    """Whether a value is said by leaving its key out."""
    return value is missing or (value is None and not isinstance(field, Initial | Models))


def as_written(field: Field[Any], value: Any) -> Any:
    """A value of a key as the file would write it: the inverse of reading it."""
    match field:
        case f.Duration():
            return _duration(value)
        case f.Moment():
            return format_timestamp(value).rjust(27, "0").replace(".000000", "")  # years before 1000 want their zeros
        case f.Sub():
            return _group(field.schema, value)
        case f.Sequence():
            return [as_written(field.item, one) for one in value]
        case Datasets():
            given = {name: {**as_given(one), "timestamp": _time_column(one)} for name, one in value.items()}
            return {name: _group(Dataset, one) for name, one in given.items()}
        case TimeColumn():
            said = {key: one for key, one in value.items() if one is not None}
            return said["column"] if len(said) == 1 else said
        case Initial():
            return "random" if value is None else {"pretrained": value}
        case Models():
            return "all" if value is None else {"newest": value}
        case MetricField():
            options = _group(field.plugins[value["name"]].Schema, value["options"])
            return {"name": value["name"], **options} if options else value["name"]
        case Extent():
            return {value["kind"]: _duration(value["duration_s"])} if "duration_s" in value else value["kind"]
        case Chosen():
            return _chosen(field, value)
    return field.written(value) if isinstance(field, f.Sentence) else value


def _chosen(field: Chosen, value: Mapping[str, Any]) -> dict[str, Any]:
    """Its name, its options, and what stands beside them."""
    if "kind" in value:  # a target as the rest of the code knows it
        options = {**value["options"], "name": value["name"], "uri": value["uri"]}
        return {field.key: value["kind"], **_group(field.schema(value["kind"]), options)}
    around = {**({PRICE: value[PRICE]} if value.get(PRICE) else {}), **value.get("guards", {})}
    around = {name: as_written(option_of(name), one) for name, one in around.items()}
    beside = _group(field.beside, value) if isinstance(field, StrategyBlock) else around
    return {field.key: value["name"], **_group(field.schema(value["name"]), value["options"]), **beside}


def _group(schema: type[f.Group], values: Mapping[str, Any]) -> dict[str, Any]:
    """A group with all its keys, in the order of the schema; what `values` lacks has its default."""
    written = {}
    for name, field in schema().fields.items():
        value = values.get(name, default(field))
        if not is_none(field, value):
            written[field.data_key or name] = as_written(field, value)
    return written


def _time_column(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Its unit is written beside it, as ever."""
    return {"column": dataset["timestamp"], "format": dataset["format"], "zone": dataset["zone"]}


def _duration(seconds: float) -> str:
    """`7d`, `5s`: in the largest unit that makes it a whole number, without losing a digit."""
    for unit, length_s in _SECONDS_PER_UNIT.items():
        if seconds and seconds % length_s == 0:
            return f"{seconds / length_s:.0f}{unit}"
    return f"{Decimal(repr(seconds)):f}s" if seconds % 1 else f"{seconds:.0f}s"


def _with_names(resolved: Any, written: Any, filled: Any, folder: Path) -> Any:
    """`resolved`, with each text that the environment filled in as it was written.

    A list may have got entries of ours before those of the file.
    """
    if isinstance(resolved, dict) and isinstance(written, dict):
        return {key: _with_names(one, written.get(key), filled.get(key), folder) for key, one in resolved.items()}
    if isinstance(resolved, list) and isinstance(written, list):
        own = len(resolved) - len(written)
        named = [_with_names(*three, folder) for three in zip(resolved[own:], written, filled, strict=True)]
        return [*resolved[:own], *named]
    if not isinstance(resolved, str) or not isinstance(filled, str) or written == filled:
        return resolved
    started_here = Path(resolved).is_relative_to(folder) and not filled.removeprefix("file://").startswith(("/", "~"))
    return str(folder / written.removeprefix("file://")) if started_here else written

"""Both files into typed values, with everything that is wrong in either said at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from marshmallow import ValidationError

from shared.command import COMMAND
from shared.config import across, resolved
from shared.config.changes import Change
from shared.config.fields import Group, keys_of
from shared.config.fields.sentence import EMPTY
from shared.config.grafted import Graft, Grafted
from shared.config.pipeline import Pipeline
from shared.config.schema.pipeline import PipelineSchema
from shared.config.schema.system import SystemSchema
from shared.config.secrets import hide
from shared.config.system import Dataset, System
from shared.config.typed import datasets_of, pipeline_of, system_of
from shared.config.yaml_source import Source, read_yaml
from shared.errors import ConfigurationError


class MistakesError(ConfigurationError):
    """The mistakes of both files, and what is known all the same of the dataset that the pipeline means."""

    def __init__(self, problems: list[str], dataset: Dataset | None, split_by: str | None) -> None:
        self.dataset, self.split_by = dataset, split_by
        super().__init__(*problems)


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What both files say, and where they say it."""

    pipeline: Pipeline
    system: System
    pipeline_source: Source
    system_source: Source

    def resolved_pipeline_yaml(self) -> str:
        """A pipeline.yaml that means the same from any folder, with every default filled in, in a stable order.

        `${NAME}` is as it was written.
        """
        return resolved.pipeline_yaml(self.pipeline, self.pipeline_source)

    def resolved_system_yaml(self) -> str:
        """config.yaml likewise, with passwords masked."""
        return resolved.system_yaml(self.system, self.system_source)


def load_configuration(
    pipeline_path: Path, config_path: Path, changes: Sequence[Change] = (), *, experiment_mode: bool
) -> Configuration:
    """Read and check both files, with `changes` made to pipeline.yaml. Raises ConfigurationError with every problem."""
    _refuse_changes_of_system(changes)
    problems: list[str] = []
    pipeline_source = _read(pipeline_path, problems, changes)
    system_source = _read(config_path, problems)
    _refuse_swapped(pipeline_source, system_source)
    return _configuration(pipeline_source, system_source, problems, experiment_mode=experiment_mode)


def grafted_configuration(stock: Configuration, grafts: Mapping[str, Graft]) -> Configuration:
    """Of an experiment: the same with groups of another file in the place of pipeline.yaml's own, checked as it was.

    Raises ConfigurationError with every problem.
    """
    source = Grafted(stock.pipeline_source, grafts)
    return _configuration(source, stock.system_source, [], experiment_mode=True)


def _configuration(
    pipeline_source: Source | None, system_source: Source | None, problems: list[str], *, experiment_mode: bool
) -> Configuration:
    """What both say; `problems`: with them. Raises ConfigurationError."""
    pipeline_values = _checked(PipelineSchema(), pipeline_source, problems)
    system_values = _checked(SystemSchema(), system_source, problems)
    if pipeline_source is not None:
        named = _naming_all_datasets(system_values, system_source)
        found = across.problems(pipeline_values, named, pipeline_source.values, experiment_mode=experiment_mode)
        sound = (one for one in found if not pipeline_source.is_mistaken(one[0]))
        problems += [f"{pipeline_source.told(path)}: {hide(sentence)}" for path, sentence in sound]
    if problems or pipeline_source is None or system_source is None:
        raise MistakesError(problems, *_meant(pipeline_values, system_values, system_source))
    system = system_of(system_values, system_source)
    pipeline = pipeline_of(pipeline_values, pipeline_source)
    return Configuration(pipeline=pipeline, system=system, pipeline_source=pipeline_source, system_source=system_source)


def load_system(config_path: Path) -> System:
    """config.yaml alone, for the commands that need no pipeline. Raises ConfigurationError."""
    problems: list[str] = []
    source = _read(config_path, problems)
    _refuse_pipeline(source)
    values = _checked(SystemSchema(), source, problems)
    if problems or source is None:
        raise ConfigurationError(*problems)
    return system_of(values, source)


def load_values(schema: Group, path: Path) -> tuple[dict[str, Any], Source]:
    """What a file that is neither of both says, as its schema loads it. Raises ConfigurationError with all problems."""
    problems: list[str] = []
    source = _read(path, problems)
    values = _checked(schema, source, problems)
    if problems or source is None:
        raise ConfigurationError(*problems)
    return values, source


def _refuse_changes_of_system(changes: Sequence[Change]) -> None:
    """Raise ConfigurationError for keys of config.yaml."""
    learns, stands = keys_of(PipelineSchema()), keys_of(SystemSchema())
    for change in changes:
        group = change.key.partition(".")[0]
        if group in stands and group not in learns:
            raise ConfigurationError(
                f"{change}: {group} is a key of config.yaml, and --set changes pipeline.yaml alone; write it into a "
                "config.yaml of its own."
            )


def _read(path: Path, problems: list[str], changes: Sequence[Change] = ()) -> Source | None:
    try:
        source = read_yaml(path, changes)
    except ConfigurationError as error:
        problems.extend(error.problems)
        return None
    problems.extend(sentence for _, sentence in source.mistakes)
    return source


def _refuse_swapped(pipeline: Source | None, system: Source | None) -> None:
    """Two files in the wrong order are one mistake, not one for each of their keys."""
    if pipeline is None or system is None:
        return
    learns, stands = set(keys_of(PipelineSchema())), set(keys_of(SystemSchema()))
    first, second = set(pipeline.values), set(system.values)
    if first & stands and second & learns and not first & learns and not second & stands:
        raise ConfigurationError(
            f"{pipeline.path.name} says on what system to learn, and {system.path.name} what: are pipeline and config "
            f"swapped? The pipeline comes first: {COMMAND} PIPELINE CONFIG."
        )


def _refuse_pipeline(system: Source | None) -> None:
    """A pipeline in the place of config.yaml is one mistake, not one for each of its keys."""
    if system is None:
        return
    learns, stands, given = set(keys_of(PipelineSchema())), set(keys_of(SystemSchema())), set(system.values)
    if given & learns and not given & stands:
        raise ConfigurationError(
            f"{system.path.name} says what to learn, and this command wants the file that says on what system, "
            "such as config.yaml."
        )


def _naming_all_datasets(values: dict[str, Any], source: Source | None) -> dict[str, Any]:
    """With the names of datasets that have mistakes of their own, so that a pipeline that names one is not blamed."""
    storage = source.values.get("storage") if source is not None else None
    given = storage.get("datasets") if isinstance(storage, dict) else None
    return {**values, "storage": {"datasets": given}} if isinstance(given, dict) and given else values


def _checked(schema: Group, source: Source | None, problems: list[str]) -> dict[str, Any]:
    if source is None:
        return {}
    told: list[tuple[str, str]] = []
    try:
        values = dict(schema.load(source.values))
    except ValidationError as error:
        told, values = _flat(error.messages, ""), _sound(error.valid_data, error.messages)
    # An empty `gate:` is no wish for none; but what a constructor is given may be empty.
    told += [(path, EMPTY) for path in source.empty if ".config." not in path and path not in dict(told)]
    for path, sentence in sorted(told, key=lambda one: source.line(one[0])):
        if not source.is_mistaken(path):
            problems.append(f"{source.told(path)}: {hide(sentence)}")
    return values


def _sound(values: Any, messages: Any) -> dict[str, Any]:
    """What of a group's values has no mistake in it; lists count as a whole."""
    if not isinstance(values, dict) or not isinstance(messages, dict):
        return {}
    sound = {key: one for key, one in values.items() if key not in messages}
    below = {key: _sound(one, messages[key]) for key, one in values.items() if isinstance(messages.get(key), dict)}
    return {**sound, **{key: one for key, one in below.items() if one}}


def _flat(messages: Any, path: str) -> list[tuple[str, str]]:
    """marshmallow's tree of messages as (key path, sentence)."""
    if isinstance(messages, dict):
        found = []
        for key, below in messages.items():
            at = path if key == "_schema" else f"{path}.{key}" if path else str(key)
            found += _flat(below, at)
        return found
    if isinstance(messages, list):
        return [pair for told in messages for pair in _flat(told, path)]
    return [(path, str(messages))]


def _meant(
    pipeline: dict[str, Any], system: dict[str, Any], source: Source | None
) -> tuple[Dataset | None, str | None]:
    """The dataset that a pipeline with mistakes names, or the only one, and the column of its split."""
    data, storage = pipeline.get("data", {}), system.get("storage", {})
    if source is None or "datasets" not in storage:
        return None, None
    datasets = datasets_of(system, source)
    name = data.get("dataset")
    found = datasets.get(name, next(iter(datasets.values())) if len(datasets) == 1 else None)
    return (None if found is None else msgspec.convert(found, Dataset)), data.get("split", {}).get("by")

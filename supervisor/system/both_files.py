"""Both files, and where they have mistakes also the columns that they name, so that all can be mended at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from shared.config.changes import Change
from shared.config.load import Configuration, MistakesError, load_configuration
from shared.config.secrets import hide
from shared.config.system import Dataset
from shared.dataset.files import schema_of
from shared.dataset.judging import wrong_count
from shared.dataset.labels_table import labels_table
from shared.dataset.listing import look
from shared.errors import ConfigurationError, DataError


def load_both(
    pipeline_path: Path, config_path: Path, changes: Sequence[Change] = (), *, experiment_mode: bool
) -> Configuration:
    """Read and check both files, with `changes` made to pipeline.yaml.

    Raises ConfigurationError with every problem of both, and of the columns.
    """
    try:
        return load_configuration(pipeline_path, config_path, changes, experiment_mode=experiment_mode)
    except MistakesError as error:
        raise ConfigurationError(*error.problems, *map(hide, _columns(error))) from None


def _columns(mistakes: MistakesError) -> Iterator[str]:
    """Columns that the dataset's first file lacks, or that of its labels; what cannot be read is for later to complain
    of.
    """
    config = mistakes.dataset
    if config is None:
        return
    image = config.image.column if config.image is not None else None
    named = [*config.own_columns, *(config.features or ()), image, config.text, mistakes.split_by]
    yield from _lacking(config, [one for one in named if one is not None])
    if config.labels is not None:
        table = labels_table(config)
        yield from _lacking(table, [*table.own_columns, *config.labels.key])


def _lacking(config: Dataset, named: Sequence[str]) -> Iterator[str]:
    try:
        file = next(iter(look(config.uri).files), None)
        names = [] if file is None else schema_of(file, config).names
    except (DataError, OSError):
        return
    for name in dict.fromkeys(named):
        if file is not None and names.count(name) != 1:
            yield f"dataset {config.name}: {file} {wrong_count(name, names)}"

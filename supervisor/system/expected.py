"""What `expect:` names of a dataset is judged as soon as its rows are there, not when the first trigger asks."""

from __future__ import annotations

from shared.config.load import Configuration
from shared.config.secrets import hide
from shared.dataset.expected_names import wrong_classes, wrong_columns
from shared.dataset.table import TableDataset
from shared.errors import ConfigurationError, DataError, NotReadyError

_PATH = "trigger.expect"


def refuse_wrong_expectations(
    configuration: Configuration, rows: TableDataset, labels: TableDataset | None, *, follows: bool
) -> None:
    """Raise ConfigurationError, with file and line, for columns and classes that a dataset does not have.

    `labels`: their table, if they have one of their own. `follows`: there may come classes that have not come yet.
    Nothing is said without rows. Raises NotReadyError for labels that cannot be read.
    """
    expect = configuration.pipeline.trigger.guards.get("expect")
    if expect is None or not rows.rows:
        return
    try:
        found = [*wrong_columns(expect, rows, labels), *wrong_classes(expect, labels or rows, may_come=follows)]
    except DataError as error:
        raise NotReadyError(hide(str(error))) from None
    source = configuration.pipeline_source
    if found:
        paths = [(f"{_PATH}.{key}", sentence) for key, sentence in found]
        raise ConfigurationError(*(f"{source.where(path)}: {path}: {sentence}" for path, sentence in paths))

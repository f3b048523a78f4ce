"""The tables of a dataset: its rows, and its labels where these stand in a table of their own."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from shared.config.load import Configuration
from shared.dataset.growth import Rest
from shared.dataset.table import open_dataset
from supervisor.system.dataset_readiness import Usable, give_keys, give_positions, ready_dataset, ready_labels
from supervisor.system.expected import refuse_wrong_expectations
from supervisor.system.unread import Telling


class Tables(NamedTuple):
    """What was found of each."""

    rows: Usable
    labels: Usable | None  # None: they stand in the rows


def ready_tables(
    configuration: Configuration, manifests_root: Path, rest: Rest, telling: Telling, *, follows: bool
) -> Tables:
    """Both, found and usable, with keys of copies of their manifests. Raises NotReadyError; see `ready_dataset`; and
    ConfigurationError for what `expect:` names and they do not have.
    """
    rows = ready_dataset(configuration, manifests_root, rest, telling, follows=follows)
    labels = ready_labels(configuration, rows.dataset, manifests_root, rest, telling, follows=follows)
    late = None if labels is None else labels.dataset
    refuse_wrong_expectations(configuration, rows.dataset, late, follows=follows)
    return Tables(rows, labels)


def tables_with_keys(configuration: Configuration, rest: Rest, *, follows: bool) -> Tables:
    """Both, after one more look, whose keys and positions last for ever. Raises NotReadyError."""
    found = give_keys(configuration, rest, follows=follows)
    config = configuration.system.datasets[configuration.pipeline.data.dataset]
    rows = Usable(open_dataset(config, found.entries), found)
    labels = give_positions(configuration, rows.dataset, rest, follows=follows)
    return Tables(rows, labels)

"""System validation: whether a dataset can be used, or is to be waited for; sentences with their remedy (exit 3)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from shared.config.load import Configuration
from shared.config.secrets import hide
from shared.config.system import Dataset
from shared.dataset.discovery import Found, find
from shared.dataset.growth import Rest
from shared.dataset.key_columns import Other, other
from shared.dataset.labels_table import labels_table
from shared.dataset.manifest import copy_manifest
from shared.dataset.problems import problems
from shared.dataset.table import TableDataset, open_dataset
from shared.errors import DataError, NotReadyError, PlaceError
from supervisor.system.changed_uri import refuse_changed_uri
from supervisor.system.protocols import refuse_unknown_protocol
from supervisor.system.unread import Telling, unreadable

log = logging.getLogger(__name__)

_MOST_SENTENCES = 20


_AT_ONCE = Rest()
_LOOKS = 5  # while files are waited for that somebody writes to, in the time after which they are at rest


class _Table(NamedTuple):
    """What is looked at: a dataset's rows, or their labels."""

    config: Dataset
    keys: tuple[str, ...]  # below `storage.datasets`, that lead to its `uri`
    groups: tuple[str, ...] = ()  # columns that keep rows together
    beside: Other | None = None  # the table to which key columns lead


def _rows(configuration: Configuration) -> _Table:
    name = configuration.pipeline.data.dataset
    return _Table(configuration.system.datasets[name], (name, "uri"), configuration.pipeline.data.split.groups)


def _labels(dataset: TableDataset) -> _Table | None:
    """Those of a dataset's rows; None if they stand in these."""
    config, labels = dataset.config, dataset.config.labels
    if labels is None:
        return None
    return _Table(labels_table(config), (config.name, "labels", "uri"), beside=other(dataset, labels.key, "the rows"))


class Usable(NamedTuple):
    """Rows or labels that were found and can be used, and the look that found them."""

    dataset: TableDataset
    found: Found


def ready_dataset(
    configuration: Configuration,
    manifests_root: Path,
    rest: Rest = _AT_ONCE,
    telling: Telling | None = None,
    *,
    follows: bool,
) -> Usable:
    """The dataset, found and usable, and the look that found it; what is not data is told.

    `follows`: files that cannot be read or do not fit may be mended while a run follows the dataset, and rows may come;
    then it has what fits, which may be nothing yet. Keys are given out in a copy of the manifest below
    `manifests_root`: only a run makes them last for ever. `rest` is that of `find`; who follows nothing waits for files
    to be at rest. Raises NotReadyError with all that is wrong.
    """
    refuse_unknown_protocol(configuration)
    return _ready(configuration, _rows(configuration), manifests_root, rest, telling, follows=follows)


def ready_labels(
    configuration: Configuration,
    dataset: TableDataset,
    manifests_root: Path,
    rest: Rest = _AT_ONCE,
    telling: Telling | None = None,
    *,
    follows: bool,
) -> Usable | None:
    """The table of labels of a dataset that is ready, likewise; None if they stand in its rows.

    Who follows nothing needs one label at least. Raises NotReadyError.
    """
    table = _labels(dataset)
    return None if table is None else _ready(configuration, table, manifests_root, rest, telling, follows=follows)


def _ready(
    configuration: Configuration,
    table: _Table,
    manifests_root: Path,
    rest: Rest,
    telling: Telling | None,
    *,
    follows: bool,
) -> Usable:
    root, config = configuration.system.artifacts_root, table.config
    try:
        refuse_changed_uri(configuration, config, table.keys)
        found = _look_at_rest(root, table, manifests_root, rest)
        (telling or Telling()).passed_over(config, found)
        _refuse_away(found)
        dataset = open_dataset(config, found.entries)
        told = [] if follows and not _is_mistaken(found) else _of_misfits(found)
        if dataset.rows or not (told or follows):
            told += problems(dataset, table.groups, found.entries[: found.known], table.beside)
    except DataError as error:
        raise NotReadyError(hide(str(error))) from None
    except OSError as error:
        raise NotReadyError(
            f"artifacts.uri: nothing can be written below {root} ({error.strerror}); name another folder."
        ) from None
    if table.beside is not None and not dataset.rows and not follows:
        told.append("In experiment mode no label comes later, and without one nothing can be trained.")
    if told:
        raise NotReadyError(*_first_of(told))
    return Usable(dataset, found)


def _first_of(told: Sequence[str]) -> list[str]:
    """As many sentences as somebody reads, and how many there are beside them."""
    more = len(told) - _MOST_SENTENCES
    rest = [f"… and {more:,} more of this dataset; mend the first ones, and the others are named."] if more > 0 else []
    return [*map(hide, told[:_MOST_SENTENCES]), *rest]


def give_keys(configuration: Configuration, rest: Rest, *, follows: bool) -> Found:
    """A look whose keys last for ever. Raises NotReadyError for what came after the dataset was found ready."""
    return _give_keys(configuration, _rows(configuration), rest, follows=follows)


def give_positions(configuration: Configuration, dataset: TableDataset, rest: Rest, *, follows: bool) -> Usable | None:
    """The labels of a dataset, likewise; None if they stand in its rows."""
    table = _labels(dataset)
    if table is None:
        return None
    found = _give_keys(configuration, table, rest, follows=follows)
    return Usable(open_dataset(table.config, found.entries), found)


def _give_keys(configuration: Configuration, table: _Table, rest: Rest, *, follows: bool) -> Found:
    config = table.config
    try:
        found = find(config, configuration.system.artifacts_root, table.groups, rest, beside=table.beside)
        _refuse_away(found)
    except DataError as error:
        raise NotReadyError(hide(str(error))) from None
    told = [] if follows else _of_misfits(found)
    if told:
        raise NotReadyError(*_first_of(told))
    if not follows:
        for file, tail in found.waiting.items():
            log.warning("! dataset %s: left out: %s", config.name, hide(tail.sentence(file)))
    return found


def _refuse_away(found: Found) -> None:
    """A run that goes on waits for a place that is away; none begins without it. Raises PlaceError."""
    if found.away:
        raise PlaceError("\n".join(found.away.values()))


def _look_at_rest(root: str, table: _Table, manifests_root: Path, rest: Rest) -> Found:
    """What is there; all of it is wanted, so files that somebody writes to are waited for a while, if they end in half
    a line. Raises DataError and OSError.
    """
    found = _look(root, table, manifests_root, rest)
    if not rest.to_the_end or not found.waiting:
        return found
    name, limit_s = table.config.name, 2 * rest.at_rest_s
    files = ", ".join(list(found.waiting)[:_MOST_SENTENCES])
    log.info("waiting up to %.0f s for files of dataset %s that end in half a line: %s", limit_s, name, hide(files))
    give_up_s = time.monotonic() + limit_s
    while found.waiting and time.monotonic() < give_up_s:
        time.sleep(rest.at_rest_s / _LOOKS)
        found = _look(root, table, manifests_root, rest)
    return found


def _look(root: str, table: _Table, manifests_root: Path, rest: Rest) -> Found:
    """What is there, with keys of a copy of the manifest. Raises DataError and OSError."""
    copy_manifest(root, str(manifests_root), table.config.name)
    return find(table.config, str(manifests_root), table.groups, rest, beside=table.beside)


def _is_mistaken(found: Found) -> bool:
    """Whether no row fits and some file has other columns than are asked for: then it is config.yaml that is wrong."""
    is_empty = not any(entry.rows for entry in found.entries)
    return is_empty and any(misfit.why == "columns" for misfit in found.misfits.values())


def _of_misfits(found: Found) -> list[str]:
    """Each sentence on files that have no keys, once."""
    others = [misfit for misfit in found.misfits.values() if misfit.why != "unreadable"]
    sentences = [sentence for misfit in others for sentence in misfit.sentences]
    return list(dict.fromkeys([*unreadable(found).values(), *sentences]))


def await_rows(
    configuration: Configuration,
    manifests_root: Path,
    meanwhile: Callable[[], None],
    rest: Rest = _AT_ONCE,
    telling: Telling | None = None,
) -> bool:
    """Wait for the first row of a dataset that is to be followed; whether there was none at first.

    What else is wrong with it is for `ready_dataset` to say, unless it comes while we wait: then it may still change.
    """
    table, every_s = _rows(configuration), configuration.system.notification.waits_s
    config, root = table.config, configuration.system.artifacts_root
    telling, said = telling or Telling(), ""
    while True:
        try:
            found = _look(root, table, manifests_root, rest)
            if any(entry.rows for entry in found.entries) or (not said and _is_mistaken(found)):
                return bool(said)
            telling.not_read(found)
            told = f"has no rows yet; waiting for the first ones in {config.uri}, looking every {every_s:g} s"
        except (DataError, OSError) as error:
            if not said:
                return False
            told = f"cannot be read yet: {hide(str(error))}"
        if told != said:
            log.warning("! dataset %s %s", config.name, told)
        said = told
        meanwhile()
        time.sleep(every_s)

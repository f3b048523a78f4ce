"""System validation: whether a dataset can be used, or is to be waited for; sentences with their remedy (exit 3)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from shared.config.load import Configuration
from shared.config.secrets import hide
from shared.dataset.discovery import Found, find
from shared.dataset.growth import Rest
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


def ready_dataset(
    configuration: Configuration,
    manifests_root: Path,
    rest: Rest = _AT_ONCE,
    telling: Telling | None = None,
    *,
    follows: bool,
) -> tuple[TableDataset, Found]:
    """The dataset, found and usable, and the look that found it; what is not data is told.

    `follows`: files that cannot be read or do not fit may be mended while a run follows the dataset, and rows may come;
    then it has what fits, which may be nothing yet. Keys are given out in a copy of the manifest below
    `manifests_root`: only a run makes them last for ever. `rest` is that of `find`; who follows nothing waits for files
    to be at rest. Raises NotReadyError with all that is wrong.
    """
    system = configuration.system
    config, groups = system.datasets[configuration.pipeline.data.dataset], configuration.pipeline.data.split.groups
    refuse_unknown_protocol(configuration)
    try:
        refuse_changed_uri(configuration)
        found = _look_at_rest(configuration, manifests_root, rest)
        (telling or Telling()).passed_over(config, found)
        _refuse_away(found)
        dataset = open_dataset(config, found.entries)
        told = [] if follows and not _is_mistaken(found) else _of_misfits(found)
        if dataset.rows or not (told or follows):
            told += problems(dataset, groups, found.entries[: found.known])
    except DataError as error:
        raise NotReadyError(hide(str(error))) from None
    except OSError as error:
        raise NotReadyError(
            f"artifacts.uri: nothing can be written below {system.artifacts_root} ({error.strerror}); "
            "name another folder."
        ) from None
    if told:
        raise NotReadyError(*_first_of(told))
    return dataset, found


def _first_of(told: Sequence[str]) -> list[str]:
    """As many sentences as somebody reads, and how many there are beside them."""
    more = len(told) - _MOST_SENTENCES
    rest = [f"… and {more:,} more of this dataset; mend the first ones, and the others are named."] if more > 0 else []
    return [*map(hide, told[:_MOST_SENTENCES]), *rest]


def give_keys(configuration: Configuration, rest: Rest, *, follows: bool) -> Found:
    """A look whose keys last for ever. Raises NotReadyError for what came after the dataset was found ready."""
    pipeline, system = configuration.pipeline, configuration.system
    config = system.datasets[pipeline.data.dataset]
    try:
        found = find(config, system.artifacts_root, pipeline.data.split.groups, rest)
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


def _look_at_rest(configuration: Configuration, manifests_root: Path, rest: Rest) -> Found:
    """What is there; all of it is wanted, so files that somebody writes to are waited for a while, if they end in half
    a line. Raises DataError and OSError.
    """
    found = _look(configuration, manifests_root, rest)
    if not rest.to_the_end or not found.waiting:
        return found
    name, limit_s = configuration.pipeline.data.dataset, 2 * rest.at_rest_s
    files = ", ".join(list(found.waiting)[:_MOST_SENTENCES])
    log.info("waiting up to %.0f s for files of dataset %s that end in half a line: %s", limit_s, name, hide(files))
    give_up_s = time.monotonic() + limit_s
    while found.waiting and time.monotonic() < give_up_s:
        time.sleep(rest.at_rest_s / _LOOKS)
        found = _look(configuration, manifests_root, rest)
    return found


def _look(configuration: Configuration, manifests_root: Path, rest: Rest) -> Found:
    """What is there, with keys of a copy of the manifest. Raises DataError and OSError."""
    pipeline, system = configuration.pipeline, configuration.system
    config = system.datasets[pipeline.data.dataset]
    copy_manifest(system.artifacts_root, str(manifests_root), config.name)
    return find(config, str(manifests_root), pipeline.data.split.groups, rest)


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
    system = configuration.system
    config, every_s = system.datasets[configuration.pipeline.data.dataset], system.notification.every_s
    telling, said = telling or Telling(), ""
    while True:
        try:
            found = _look(configuration, manifests_root, rest)
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

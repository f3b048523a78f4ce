"""Looks for files that have come to a dataset that is followed, and for what has become of those that are not read."""

from __future__ import annotations

from collections.abc import Sequence

from shared.dataset.discovery import Found, find, first_with_rows
from shared.dataset.growth import Rest
from shared.dataset.judging import judge
from shared.dataset.manifest import manifest_path, refuse_moved_keys
from shared.dataset.rejudged import refuse_rejudged
from shared.dataset.table import TableDataset, open_dataset
from shared.errors import DataError, PlaceError
from shared.timestamps import now_us
from supervisor.core.events import AnyEvent, Discovered, Unread
from supervisor.run.observe.cut_rows import tell_cut
from supervisor.run.observe.mended import tell_mended
from supervisor.run.observe.not_read import NotReadFiles
from supervisor.system.unread import Telling

_PATIENCE_S = 5.0  # with another supervisor that looks; meanwhile nothing is heard


class NewFiles:
    """Each look gives the dataset as it is then, and what has changed since the one before as events."""

    def __init__(self, groups: Sequence[str], unread: Unread, telling: Telling) -> None:
        self._groups, self._telling = groups, telling
        self._not_read = NotReadFiles(unread)

    def look(self, dataset: TableDataset, artifacts_root: str, rest: Rest) -> tuple[TableDataset, list[AnyEvent]]:
        """Raises DataError for a file whose rows have keys and that is not as it was, or does not fit."""
        config, known = dataset.config, dataset.entries
        try:
            found = find(config, artifacts_root, self._groups, rest, _PATIENCE_S)
        except PlaceError as error:  # it may be back at the next look
            away = self._not_read.while_away(config.uri, error)
            return dataset, [away] if away else []
        self._telling.passed_over(config, found)
        path = manifest_path(artifacts_root, config.name)
        refuse_moved_keys(known, found.entries, path)
        tell_mended(known, found.entries)
        refuse_rejudged(config, known, found.entries, path)
        self._refuse_unfit(dataset, found)
        events: list[AnyEvent] = []
        if len(found.entries) > len(known):
            dataset = open_dataset(config, found.entries)
            events.append(Discovered(time_us=now_us(), entries=found.entries[len(known) :]))
            tell_cut(found.entries, len(known))
        not_read = self._not_read.after(found)
        return dataset, [*events, not_read] if not_read else events

    def _refuse_unfit(self, dataset: TableDataset, found: Found) -> None:
        """Raise DataError for a file that got its keys by the look of a run to which other files fit."""
        first = first_with_rows(found.entries)
        for entry in found.entries[len(dataset.entries) : found.known]:
            is_first = first is not None and first.first_key == entry.first_key
            misfit = judge(entry, None if is_first else first, dataset.config, self._groups)
            if misfit is not None:
                raise DataError(
                    f"{entry.file} has keys, which another run gave it, and does not fit this one: "
                    f"{' '.join(misfit.sentences)} Mend what this run wants of the dataset, or give it a dataset of "
                    "another name in config.yaml: then each has keys of its own."
                )

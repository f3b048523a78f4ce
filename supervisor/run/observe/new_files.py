"""Looks for files that have come to a dataset that is followed, and for what has become of those that are not read."""

from __future__ import annotations

from collections.abc import Sequence

from shared.dataset.growth import Rest
from shared.dataset.key_columns import other
from shared.dataset.manifest import manifest_path
from shared.dataset.rejudged import refuse_rejudged
from shared.dataset.table import TableDataset, open_dataset
from shared.timestamps import now_us
from supervisor.core.events import AnyEvent, Discovered
from supervisor.core.seen import Unread
from supervisor.run.observe.file_look import look_at_files
from supervisor.run.observe.label_files import LabelFiles
from supervisor.run.observe.not_read import NotReadFiles
from supervisor.system.unread import Telling


class NewFiles:
    """Each look gives the dataset as it is then, and what has changed since the one before as events."""

    def __init__(
        self, groups: Sequence[str], unread: Unread, telling: Telling, labels: LabelFiles | None = None
    ) -> None:
        self._groups, self._telling, self._labels = groups, telling, labels
        self._not_read = NotReadFiles(unread)

    def look(
        self,
        dataset: TableDataset,
        artifacts_root: str,
        rest: Rest,
        next_key: int = 0,
        event_time_us: int | None = None,
    ) -> tuple[TableDataset, list[AnyEvent]]:
        """New rows, then new labels, then what is not read. `next_key`, `event_time_us`: where the run stands.

        Raises DataError for a file whose rows have keys and that is not as it was, or does not fit.
        """
        config, known, events = dataset.config, dataset.entries, list[AnyEvent]()
        labels = self._labels
        beside = None if labels is None else other(labels.table, labels.table.feature_columns, "its labels")
        rows = look_at_files(dataset, artifacts_root, self._groups, rest, self._telling, beside)
        refuse_rejudged(config, known, rows.entries, manifest_path(artifacts_root, config.name))
        if len(rows.entries) > len(known):
            dataset = open_dataset(config, rows.entries)
            events.append(Discovered(time_us=now_us(), entries=tuple(rows.entries[len(known) :])))
        looks = [rows]
        if labels is not None:
            look, found = labels.look(dataset, artifacts_root, rest, next_key, event_time_us)
            looks.append(look)
            events += [found] if found else []
        not_read = self._not_read.after(*(look.found for look in looks))
        return dataset, [*events, not_read] if not_read else events

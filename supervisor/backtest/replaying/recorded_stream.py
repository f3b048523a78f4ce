"""The rows that a replay follows, as an experiment would: read and dated once, for any number of policies."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from shared.dataset.table import TableDataset
from supervisor.core.events import AnyEvent
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.observe.followed_rows import FollowedRows
from supervisor.triggers.policy import Batch


class RecordedStream(msgspec.Struct, frozen=True, kw_only=True):
    """What is followed. Memory: 16 bytes a row."""

    dataset: TableDataset
    start: RunState  # before the first followed row
    batches: tuple[Batch, ...]
    began_us: int  # event time at the first followed row

    @property
    def rows(self) -> int:
        """How many are followed."""
        return self.batches[-1].stop_key - self.batches[0].first_key

    @property
    def last_key(self) -> int:
        """The last row that is followed."""
        return self.batches[-1].stop_key - 1

    def up_to(self, last_key: int) -> RecordedStream:
        """The rows up to a key."""
        met = [one for one in self.batches if one.first_key <= last_key]
        cut = tuple(one.part(one.first_key, min(one.stop_key, last_key + 1)) for one in met)
        return msgspec.structs.replace(self, batches=cut)


def read_stream(dataset: TableDataset, events: Sequence[AnyEvent], settings: Settings) -> RecordedStream:
    """The stream of an experiment that begins with these events (`supervisor.run.start.first_events`), which leave it
    one row at least. Raises DataError.
    """
    start = RunState(settings=settings)
    for event in events:
        start, _, _ = transition(start, event)
    rows, batches = FollowedRows(dataset, start), list[Batch]()
    while not rows.at_end:
        dated = rows.next()
        assert dated is not None, "first_events has found a row whose timestamp can be right"
        batches.append(rows.take(dated, dated.batch.stop_key).batch)
    began_us = rows.dating.began_us
    assert began_us is not None, "there was a row"
    return RecordedStream(dataset=dataset, start=start, batches=tuple(batches), began_us=began_us)

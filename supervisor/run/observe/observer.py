"""Follows the dataset: reads timestamps batch by batch, asks the trigger policy, and cuts `every` windows.

After a resume the followed rows' timestamps are read again and what the journal knows is left out; that keeps the
policies free of stored state, and reads one column.
"""

from __future__ import annotations

import operator
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from shared.blame import blaming
from shared.config.pipeline import Every, Pipeline
from shared.dataset.growth import Rest
from shared.dataset.table import TableDataset
from shared.dataset.timestamp_column import Times
from shared.errors import RunFailedError
from shared.ids import TriggerId
from shared.plugins import TRIGGERS
from shared.timestamps import MICROSECONDS_PER_S, format_timestamp, now_us
from supervisor.core.events import AnyEvent, Fired, LabelsDiscovered, Observed, Settled, Slice, StreamEnded
from supervisor.core.notices import Waits
from supervisor.core.state import RunState
from supervisor.run.observe.dating import Dating
from supervisor.run.observe.label_files import LabelFiles
from supervisor.run.observe.labelling import Labelling, hear_rows, labelling_of
from supervisor.run.observe.new_files import NewFiles
from supervisor.run.observe.slicing import Slicer
from supervisor.system.unread import Telling
from supervisor.triggers.policy import Batch, Decision, Question, StreamStart, TriggerPolicy

BATCH_ROWS = 10_000
_AT_ONCE = Rest()
_POSITION_EVERY_S = 1.0  # how often a position without consequences is journaled


class Observer:
    """Turns new rows into `Observed` events, one a batch with consequences."""

    def __init__(
        self,
        pipeline: Pipeline,
        dataset: TableDataset,
        state: RunState,
        telling: Telling | None = None,
        labels: LabelFiles | None = None,
        labelling: Labelling | None = None,
    ) -> None:
        """`telling`: what was said of files before the run; `labels`, `labelling`: of a table of their own.

        Raises DataError.
        """
        self._dataset = dataset
        self._new_files = NewFiles(pipeline.data.split.groups, state.unread, telling or Telling(), labels)
        self._settings = pipeline.trigger
        self._who = f"trigger policy {pipeline.trigger.name}"
        self._policy: TriggerPolicy | None = None
        self._slicers = [
            Slicer(window.name, round(window.extent.duration_s * MICROSECONDS_PER_S))
            for window in pipeline.evaluation.on
            if isinstance(window.extent, Every)
        ]
        self._streamed: TableDataset | None = None  # what the stream reads: the dataset, until it has grown
        self._stream: Iterator[Times] = iter(())
        self._position = state.started.first_key
        self._stop_key = state.started.stop_key
        everything = state.started.everything
        self._dating = Dating(None if everything is None else everything.timestamp_us)
        self._waits_at: int | None = None  # where the rows ended when none of them had a timestamp that it can have
        self._last_key = state.started.first_key - 1  # of the trigger that fired last
        self._fired = 1 if state.started.everything is not None else 0
        self._maximum = state.started.maximum_triggers
        self._known_triggers = len(state.triggers)
        self._known_slices = Counter(piece.window for piece in (*state.stream.slices.values(), *state.stream.closing))
        self._labelling = labelling or labelling_of(pipeline)
        hear_rows(self._labelling, dataset, state.first_usable_key, state.started.first_key)
        self._read_again_to = state.stream.observed_key if self._labelling.workers_read else -1
        self._tells_settled = not state.experiment  # there all labels are waited for at once
        self._settled: Settled | None = None  # as it was journaled last
        self._journaled_s = time.monotonic()
        self._asked_at: int | None = None  # the position, by who wants to tell what is waited for

    @property
    def position(self) -> int:
        """The next row to be observed."""
        return self._position

    @property
    def rows(self) -> int:
        """How many rows the dataset is known to have."""
        return self._dataset.rows

    @property
    def is_behind(self) -> bool:
        """Whether rows that the run has seen are to be read again, and workers would miss their labels until then."""
        return self._position <= self._read_again_to

    @property
    def at_end(self) -> bool:
        """Whether all rows were observed that can be: some may wait for the first with a timestamp that it can have."""
        return self._position >= self._limit or self._waits_at == self._limit

    @property
    def fired_all(self) -> bool:
        """Whether `--maximum-triggers` is reached."""
        return self._maximum is not None and self._fired >= self._maximum

    @property
    def _limit(self) -> int:
        return self._dataset.rows if self._stop_key is None else min(self._stop_key, self._dataset.rows)

    def waits(self) -> Waits | None:
        """What the next trigger waits for; None if no row has come since that was asked last.

        Raises RunFailedError for what the policy raises.
        """
        if self._asked_at == self._position:
            return None
        self._asked_at = self._position
        if self._policy is None or self._dating.event_time_us is None:
            return Waits(sentence=f"waiting for the first row from key {self._position} on", begun=False)
        with blaming(self._who, RunFailedError):
            told = self._policy.waits_for()
        newest = f"newest event time {format_timestamp(self._dating.event_time_us)}"
        if self._labelling.waiting:
            newest += f"; {self._labelling.waiting:,} rows wait for their labels"
        return Waits(sentence=f"{told}; {newest}" if told else newest, begun=True)

    def discover(self, artifacts_root: str, rest: Rest = _AT_ONCE) -> list[AnyEvent]:
        """New files and lines, from which on their rows follow, and what became of those that are not read, as events.

        `rest`: when the end of a file counts. Raises DataError for a file whose rows have keys and that is not as it
        was, or does not fit.
        """
        event_time_us = self._dating.event_time_us
        dataset, events = self._new_files.look(self._dataset, artifacts_root, rest, self._position, event_time_us)
        self.go_on_with(dataset)
        self._labelling.found([event for event in events if isinstance(event, LabelsDiscovered)])
        return [*events, self._observed((), ())] if event_time_us is not None and self._settles else events

    def go_on_with(self, dataset: TableDataset) -> None:
        """Follow the same dataset with more rows."""
        self._dataset = dataset

    def observe(self) -> Observed | None:
        """The next batch as an event, None if nothing follows from it that the journal needs. Raises DataError."""
        times, known = self._next_times(), (self._dating.misdated is None, self._dating.clock_changes is None)
        stop, before_us = self._position + len(times.us), self._dating.event_time_us
        event_time_us = self._dating.date(times, self._position, self._dataset)
        if event_time_us is None:
            self._streamed, self._waits_at = None, self._limit
            return self._observed((), ())
        batch = Batch(first_key=self._position, timestamps_us=times.us, event_time_us=event_time_us)
        self._labelling.observe(batch.first_key, event_time_us, self._dataset)
        fired = self._number(self._decisions(batch), stop)
        slices = self._new_slices([piece for slicer in self._slicers for piece in slicer.observe(batch, before_us)])
        self._position = stop
        due = time.monotonic() - self._journaled_s > _POSITION_EVERY_S or self._settles
        if not (fired or slices or due or known != (self._dating.misdated is None, self._dating.clock_changes is None)):
            return None
        self._journaled_s = time.monotonic()
        return self._observed(fired, slices)

    @property
    def _settles(self) -> bool:
        """Whether all rows were seen that there are, and it is to be told that fewer wait for their labels."""
        return self._tells_settled and self.at_end and self._labelling.settled != self._settled

    def _observed(self, fired: tuple[Fired, ...], slices: tuple[Slice, ...]) -> Observed:
        self._settled = (
            self._labelling.settled if self._tells_settled and self._dating.event_time_us is not None else None
        )
        return Observed(
            time_us=now_us(),
            key=self._position - 1,
            event_time_us=self._dating.event_time_us,
            triggers=fired,
            slices=slices,
            began_us=self._dating.began_us,
            misdated=self._dating.misdated,
            settled=self._settled,
            clock_changes=self._dating.clock_changes,
        )

    def _next_times(self) -> Times:
        """Read on where the batch before ended: to begin anew each time would read a file again and again."""
        if self._streamed is not self._dataset:
            self._streamed = self._dataset
            self._stream = self._dataset.timed_batches(self._position, self._limit, BATCH_ROWS)
        return next(self._stream)

    def end(self) -> StreamEnded:
        """The stream's end; it closes the slices that are open."""
        last = self._position - 1
        slices = self._new_slices([piece for slicer in self._slicers for piece in slicer.close(last)])
        return StreamEnded(
            time_us=now_us(),
            key=last,
            slices=slices,
            event_time_us=self._dating.event_time_us,
            began_us=self._dating.began_us,
            misdated=self._dating.misdated,
            settled=self._labelling.settled if self._dating.event_time_us is not None else None,
            clock_changes=self._dating.clock_changes,
        )

    def _decisions(self, batch: Batch) -> Sequence[Decision | Question]:
        with blaming(self._who, RunFailedError):
            if self._policy is None:
                start = StreamStart(first_key=batch.first_key, event_time_us=int(batch.event_time_us[0]))
                self._policy = TRIGGERS[self._settings.name](self._settings.options, start)
            return list(self._policy.observe(batch))

    def _number(self, decisions: Sequence[Decision | Question], stop_key: int) -> tuple[Fired, ...]:
        fired = []
        for decision in decisions:
            if isinstance(decision, Question):
                raise RunFailedError(f"{self._who} asks a question, which nobody answers yet.")
            if self.fired_all:
                break
            new = fired_by(decision, TriggerId(self._fired), who=self._who, after=self._last_key, before=stop_key)
            self._last_key = new.key
            if self._fired >= self._known_triggers:
                fired.append(msgspec.structs.replace(new, labels=self._labelling.at(new)))
            self._fired += 1
        return tuple(fired)

    def _new_slices(self, pieces: list[Slice]) -> tuple[Slice, ...]:
        new = []
        for piece in pieces:
            if self._known_slices[piece.window] > 0:
                self._known_slices[piece.window] -= 1
            else:
                new.append(piece)
        return tuple(new)


def fired_by(decision: Decision, number: TriggerId, *, who: str, after: int, before: int) -> Fired:
    """The trigger that a policy's decision makes. Raises RunFailedError for one that no run could carry out."""
    try:
        key, timestamp_us = operator.index(decision.key), operator.index(decision.timestamp_us)
    except (TypeError, AttributeError):
        raise RunFailedError(f"{who} decided {decision!r}; a decision has a whole key and timestamp_us.") from None
    if not after < key < before:
        raise RunFailedError(
            f"{who} wants a trigger at key {key}, but the keys from {after + 1} to {before - 1} are those that have "
            "come since its last; decisions come in key order."
        )
    return Fired(id=number, key=key, timestamp_us=timestamp_us, reason=str(decision.reason))

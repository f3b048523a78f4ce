"""Follows the dataset: reads timestamps batch by batch, has the trigger policy look, and cuts `every` windows.

A resume goes on where the journal ends: what it needs of earlier rows is in the state. Only who knows of late labels
hears of these again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import msgspec

from shared.config.pipeline import Every, Pipeline
from shared.dataset.growth import Rest
from shared.dataset.table import TableDataset
from shared.strategies.build import strategy_of
from shared.timestamps import MICROSECONDS_PER_S, format_timestamp, now_us
from supervisor.core.advance import at_rest
from supervisor.core.events import AnyEvent, LabelsDiscovered, Observed, StreamEnded
from supervisor.core.notices import Waits
from supervisor.core.seen import Fired, Settled, Slice
from supervisor.core.state import RunState
from supervisor.run.observe.catching_up import CatchingUp
from supervisor.run.observe.dating import Dated
from supervisor.run.observe.firing import Firing, Looked
from supervisor.run.observe.followed_rows import FollowedRows
from supervisor.run.observe.label_files import LabelFiles
from supervisor.run.observe.labelling import Labelling, labelling_of
from supervisor.run.observe.new_files import NewFiles
from supervisor.run.observe.slicing import Slicer
from supervisor.system.unread import Telling

_AT_ONCE = Rest()
_POSITION_EVERY_S = 1.0  # how often a position without consequences is journaled


class Observer:
    """Turns new rows, and answers to the policy's questions, into `Observed` events, one for what has consequences."""

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

        Raises DataError, and RunFailedError for what the policy raises.
        """
        self._rows = FollowedRows(dataset, state)
        self._new_files = NewFiles(pipeline.data.split.groups, state.unread, telling or Telling(), labels)
        strategy = strategy_of(pipeline.strategy)
        self._firing = Firing(pipeline.trigger, state, strategy)
        self._slicers = [
            Slicer.of(window.name, round(window.extent.duration_s * MICROSECONDS_PER_S), state)
            for window in pipeline.evaluation.on
            if isinstance(window.extent, Every)
        ]
        self._asks = state.stream.question is not None
        self._labelling = labelling or labelling_of(pipeline)
        self._catching_up = CatchingUp(self._labelling, dataset, state)
        self._tells_settled = not state.experiment  # there all labels are waited for at once
        self._settled: Settled | None = None  # as it was journaled last
        self._journaled_s = time.monotonic()
        self._journaled_policy, self._journaled_position = self._firing.state, self._rows.position
        self._asked_at: int | None = None  # the position, by who wants to tell what is waited for

    @property
    def position(self) -> int:
        """The next row to be observed."""
        return self._rows.position

    @property
    def rows(self) -> int:
        """How many rows the dataset is known to have."""
        return self._rows.dataset.rows

    @property
    def is_behind(self) -> bool:
        """Whether rows that the run has seen are to be read again, and workers would miss their labels until then."""
        return self._catching_up.keeps_workers_waiting

    @property
    def is_catching_up(self) -> bool:
        """Whether labels of rows that the run has seen are still heard of again, for whoever may miss them or not."""
        return not self._catching_up.done

    @property
    def at_end(self) -> bool:
        """Whether all rows were observed that can be: some may wait for the first with a timestamp that it can have."""
        return not self._asks and self._catching_up.done and self._rows.at_end

    @property
    def fired_all(self) -> bool:
        """Whether `--maximum-triggers` is reached."""
        return self._firing.fired_all

    def may_go_on(self, run: RunState) -> bool:
        """Whether there may be something to observe now.

        Else too many triggers wait, a question is not answered, or a training is not over that the policy hears of.
        """
        if self.is_behind:
            return True
        if run.stream.ended or not at_rest(run) or self._firing.waits_for_training(run):
            return False
        question = run.stream.question
        return question is None or question.answer is not None or not self._catching_up.done

    def waits(self) -> Waits | None:
        """What the next trigger waits for; None if no row has come, and no look was missed, since that was asked last.

        Raises RunFailedError for what the policy raises.
        """
        if self._asked_at == self._rows.position:
            return None
        self._asked_at = self._rows.position
        event_time_us = self._rows.dating.event_time_us
        if self._firing.state is None or event_time_us is None:
            return Waits(sentence=f"waiting for the first row from key {self._rows.position} on", begun=False)
        told = self._firing.waits_for(self._rows.position, event_time_us)
        newest = f"newest event time {format_timestamp(event_time_us)}"
        if self._labelling.waiting:
            newest += f"; {self._labelling.waiting:,} rows wait for their labels"
        return Waits(sentence=f"{told}; {newest}" if told else newest, begun=True)

    def discover(self, artifacts_root: str, rest: Rest = _AT_ONCE) -> list[AnyEvent]:
        """New files and lines, from which on their rows follow, and what became of those that are not read, as events.

        `rest`: when the end of a file counts. Raises DataError for a file whose rows have keys and that is not as it
        was, or does not fit.
        """
        event_time_us = self._rows.dating.event_time_us
        dataset, events = self._new_files.look(
            self._rows.dataset, artifacts_root, rest, self._rows.position, event_time_us
        )
        self.go_on_with(dataset)
        self._labelling.found([event for event in events if isinstance(event, LabelsDiscovered)])
        return [*events, self._observed()] if event_time_us is not None and self._settles else events

    def go_on_with(self, dataset: TableDataset) -> None:
        """Follow the same dataset with more rows."""
        self._rows.dataset = dataset

    def observe(self, run: RunState) -> Observed | None:
        """What follows from the answer to the open question, or from the next rows, as an event.

        None if the journal needs nothing of it. Raises DataError, and RunFailedError for what the policy raises.
        """
        if not self._catching_up.done:
            self._catching_up.step()
            return None
        question = run.stream.question
        if question is not None:
            assert question.answer is not None, "nothing is observed before the question is answered"
            return self._observed(self._firing.answer(question.asked, question.answer, run), answered=True)
        dated = self._rows.next()
        return self._observed() if dated is None else self._follow(dated, run)

    def quiet(self, now_us: int, run: RunState) -> Observed | None:
        """What follows, in production, from the time that has passed without rows. Raises RunFailedError."""
        event_time_us = self._rows.dating.event_time_us
        if self._asks or event_time_us is None or not self._catching_up.done:
            return None
        looked = self._firing.quiet(now_us, self._rows.position - 1, event_time_us, run)
        if looked is not None and looked.has_consequences:
            return self._observed(looked)
        return self.unsaid() if self._is_due else None

    def unsaid(self) -> Observed | None:
        """How far it has seen and what the policy remembers, if the journal does not know."""
        said = (self._journaled_policy, self._journaled_position) == (self._firing.state, self._rows.position)
        return None if said or self._rows.dating.event_time_us is None else self._observed()

    def fire(self, why: str, request: str) -> Observed | None:
        """A trigger at the last row that was observed, by hand; None if it would have no new row, or none may fire.

        `request`: the id of that by which it was asked for. Raises RunFailedError for what the policy raises.
        """
        event_time_us = self._rows.dating.event_time_us
        if event_time_us is None or not self._catching_up.done:
            return None
        looked = self._firing.by_hand(why, request, self._rows.position - 1, event_time_us)
        return None if looked is None else self._observed(looked)

    def end(self) -> StreamEnded:
        """The stream's end; it closes the slices that are open."""
        last = self._rows.position - 1
        slices = [piece for slicer in self._slicers for piece in slicer.close(last)]
        return StreamEnded(
            time_us=now_us(),
            key=last,
            slices=tuple(slices),
            event_time_us=self._rows.dating.event_time_us,
            began_us=self._rows.dating.began_us,
            misdated=self._rows.dating.misdated,
            settled=self._labelling.settled if self._rows.dating.event_time_us is not None else None,
            clock_changes=self._rows.dating.clock_changes,
        )

    def _follow(self, dated: Dated, run: RunState) -> Observed | None:
        """Have all see these rows, up to where the policy stops."""
        dating = self._rows.dating
        assert dating.began_us is not None, "the rows are dated"
        known = (dating.misdated is None, dating.clock_changes is None)
        looked = self._firing.look(dated.batch, dating.began_us, run)
        batch = self._rows.take(dated, looked.stop_key).batch
        self._labelling.observe(batch.first_key, batch.event_time_us, self._rows.dataset)
        slices = tuple(piece for slicer in self._slicers for piece in slicer.observe(batch))
        news = known != (dating.misdated is None, dating.clock_changes is None)
        if not (looked.has_consequences or slices or news or self._is_due or self._settles):
            return None
        return self._observed(looked, slices)

    @property
    def _is_due(self) -> bool:
        return time.monotonic() - self._journaled_s > _POSITION_EVERY_S

    @property
    def _settles(self) -> bool:
        """Whether all rows were seen that there are, and it is to be told that fewer wait for their labels."""
        return self._tells_settled and self.at_end and self._labelling.settled != self._settled

    def _observed(
        self, looked: Looked | None = None, slices: tuple[Slice, ...] = (), *, answered: bool = False
    ) -> Observed:
        looked = looked or Looked(stop_key=self._rows.position)
        self._asks = looked.question is not None or (self._asks and not answered)
        self._journaled_s, self._journaled_policy = time.monotonic(), self._firing.state
        self._journaled_position = self._rows.position
        begun = self._rows.dating.event_time_us is not None
        self._settled = self._labelling.settled if self._tells_settled and begun else None
        if looked.considered:  # what was waited for came, to no avail
            self._asked_at = None
        question = looked.question
        if question is not None:
            question = msgspec.structs.replace(question, labels=self._labelling.at(question))
        return Observed(
            time_us=now_us(),
            key=self._rows.position - 1,
            event_time_us=self._rows.dating.event_time_us,
            triggers=self._labelled(looked.fired),
            slices=slices,
            began_us=self._rows.dating.began_us,
            misdated=self._rows.dating.misdated,
            settled=self._settled,
            clock_changes=self._rows.dating.clock_changes,
            considered=tuple(looked.considered),
            violations=tuple(looked.violations),
            answered=answered,
            question=question,
            policy=self._firing.state,
        )

    def _labelled(self, fired: Iterable[Fired]) -> tuple[Fired, ...]:
        """Triggers, with what is known there."""
        return tuple(msgspec.structs.replace(one, labels=self._labelling.at(one)) for one in fired)

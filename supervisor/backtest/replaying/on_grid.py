"""Policies replayed on a grid: triggers get the models that are there, and questions are asked of these."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from shared.config.load import Configuration
from shared.ids import TriggerId
from shared.labels.index import LabelIndex
from shared.messages.answered import Questioned
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import KeyRange, ModelRef
from shared.strategies.build import strategy_of
from shared.temporary import scratch_folder
from supervisor.backtest.grid.grid import Grid
from supervisor.backtest.judging.course import Switch
from supervisor.backtest.replaying.answering import Answering
from supervisor.backtest.replaying.known_answers import KnownAnswers
from supervisor.backtest.replaying.local_answers import task_of
from supervisor.backtest.replaying.new_rows import NewRows
from supervisor.backtest.replaying.recording import Recording
from supervisor.backtest.replaying.replay import Posed, Replayed, Settled, replay
from supervisor.backtest.replaying.same_question import same_question
from supervisor.core.seen import Fired
from supervisor.run.observe.catching_up import CatchingUp
from supervisor.run.observe.labelling import Labelling


class Played(NamedTuple):
    """What a policy came to."""

    replayed: Replayed
    switches: tuple[Switch, ...]  # of all triggers that got a model, in order: those without rows get none
    early: int  # so many of them fired before the first model's row, and got the first model


class Player:
    """Replays policies, each from the start of the stream; answers of one are known to all others.

    Processes that answer begin with the first questions, and end with this context. Threads may play side by side.
    """

    def __init__(self, recording: Recording, grid: Grid) -> None:
        """`recording`: of the pipeline whose policies are replayed."""
        self._recording, self._grid, self._stack = recording, grid, ExitStack()
        record, folder = recording.record, Path(recording.configuration.system.path).parent
        self._records = [msgspec.structs.replace(record, artifacts_uri=str(run.path)) for run in grid.runs]
        self._answering = Answering(self._records, [folder], most=os.cpu_count() or 1)
        self.known = KnownAnswers()

    def __enter__(self) -> Player:
        """Raises ArtifactError, DataError."""
        self._stack.enter_context(self._answering)
        index = None
        if self._recording.labels is not None:
            index = LabelIndex(self._write_index())
        self._new_rows = NewRows(self._recording.configuration.pipeline, self._recording.stream, index)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def play(self, configuration: Configuration, until_key: int | None = None) -> Played:
        """One policy, up to a row. Raises NotReadyError for what cannot be answered, RunFailedError, DataError."""
        stream, pipeline = self._recording.stream, configuration.pipeline
        if until_key is not None:
            stream = stream.up_to(until_key)
        one = _OnGrid(self._grid, self._new_rows, _Asks(self._records, self._answering, self.known))
        with self._labelling() as labelling:
            strategy = strategy_of(pipeline.strategy)
            found = replay(pipeline.trigger, stream, one, one, strategy=strategy, labelling=labelling)
        return Played(found, tuple(one.switches), one.early)

    def stop(self) -> None:
        """No replay goes on: those in other threads raise NotReadyError at their next question or trigger."""
        self._answering.stop()

    def _write_index(self) -> str:
        """The index of all labels, where workers look for it: they read it as of the moment of each question."""
        labelling, stream = self._recording.labelling(), self._recording.stream
        CatchingUp(labelling, stream.dataset, stream.start)
        for batch in stream.batches:
            labelling.observe(batch.first_key, batch.event_time_us, stream.dataset)
        assert self._recording.record.labels_uri is not None, "there are labels in a table"
        return self._recording.record.labels_uri

    @contextmanager
    def _labelling(self) -> Iterator[Labelling]:
        """One for a replay: an index of its own is written as rows come, to know what is known at each."""
        if self._recording.labels is None:
            yield self._recording.labelling()
            return
        with scratch_folder("replay") as folder:
            yield self._recording.labelling(folder / "labels")


class _Asks(NamedTuple):
    """Who is asked of models."""

    records: Sequence[SetupRecord]  # of each run of the grid
    answering: Answering
    known: KnownAnswers


class _OnGrid:
    """One replay's."""

    def __init__(self, grid: Grid, new_rows: NewRows, asks: _Asks) -> None:
        self._grid, self._new_rows, self._asks = grid, new_rows, asks
        self._models: dict[TriggerId, int] = {}
        self._before: Fired | None = None
        self.switches: list[Switch] = []
        self.early = 0

    def answer(self, posed: Posed, model: TriggerId | None) -> dict[str, Any]:
        """As a worker's, of the model of the grid that this trigger got. Raises NotReadyError."""
        self._asks.answering.refuse_stopped()
        run, ref = 0, None
        if posed.asked.needs_model and model is not None:
            chosen = self._grid.models[self._models[model]]
            run, ref = chosen.run, ModelRef(trigger_id=model, object=chosen.ref.object)
        question = same_question(task_of(posed, self._asks.records[run], ref))
        asked = Questioned(run=run, task=question.task)
        return self._asks.known.of(run, question, lambda: self._asks.answering.answer(asked))

    def settled(self, fired: Fired, left_out: tuple[KeyRange, ...]) -> Settled:
        """It has what the newest model took."""
        self._asks.answering.refuse_stopped()
        before, self._before = self._before, fired
        if not self._new_rows.are_there(fired, before):
            return Settled(0, None)
        number = self._grid.newest(fired.key)
        model = self._grid.models[number]
        self._models[fired.id] = number
        self.switches.append(Switch(fired.key, number))
        self.early += model.key > fired.key
        return Settled(model.samples, model.train_s)

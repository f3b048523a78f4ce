"""Runs that never were: run directories with the journals that real ones would have, written in a moment.

The real transition is told what workers would report, and what happened to it is the journal.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import yaml

from benchmarks.many_triggers.no_op_work import report_of
from shared.config.load import Configuration, load_configuration
from shared.dataset.manifest import ManifestEntry
from shared.ids import RunId, TaskId, TriggerId, WorkerId, parts_of
from shared.messages.reports import AnyReport, Baselined, Claimed, Evaluated, Failed
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import AnyTask
from supervisor.core.commands import AnyCommand, End, Publish, PublishChord
from supervisor.core.events import AnyEvent, Discovered, Ended, Observed, Reported, RunStarted, StreamEnded
from supervisor.core.seen import Fired, Slice
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.directory import RunDirectory
from supervisor.run.journal import Journal
from supervisor.system.setup import setup_record

_SECOND_US = 1_000_000
_EVENTS_AT_ONCE = 1_000


@dataclass(kw_only=True)
class MadeUpRun:
    """A run over so many rows, a second apart, with triggers at these keys. Its scores are thrown by its dice."""

    path: Path
    pipeline: dict[str, Any]
    config: dict[str, Any]
    trigger_keys: Sequence[int]
    rows: int
    slices: int = 0  # of the window `months`, in the whole stream
    dice: random.Random = field(default_factory=lambda: random.Random(0))
    content: str = "0" * 64  # the hash of the only file
    events: int | None = None  # after so many it was killed
    fails: Sequence[int] = ()  # at these triggers, and goes on if `pipeline` says so

    def write(self) -> MadeUpRun:
        """Both files as resolved, the journal, and objects of a few bytes."""
        configuration = self._configuration()
        directory = RunDirectory(self.path)
        root = configuration.system.artifacts_root
        record = setup_record(configuration, RunId(self.path.name), str(self.path), root, serves=False)
        events = list(islice(self._happens(configuration, record), self.events))
        with closing(Journal(directory.journal_path)) as journal:
            for start in range(0, len(events), _EVENTS_AT_ONCE):
                journal.append(events[start : start + _EVENTS_AT_ONCE])
        return self

    def _configuration(self) -> Configuration:
        self.path.mkdir(parents=True)
        files = [self.path / "pipeline.yaml", self.path / "config.yaml"]
        for file, content in zip(files, (self.pipeline, self.config), strict=True):
            file.write_text(yaml.safe_dump(content, sort_keys=False))
        configuration = load_configuration(*files, experiment_mode=True)
        files[0].write_text(configuration.resolved_pipeline_yaml())
        files[1].write_text(configuration.resolved_system_yaml())
        return configuration

    def _happens(self, configuration: Configuration, record: SetupRecord) -> Iterator[AnyEvent]:
        state = RunState(settings=Settings.of(configuration.pipeline, configuration.system))
        waiting = list(self._stream(record.run_id))
        while waiting:
            event = waiting.pop(0)
            yield event
            state, commands, _ = transition(state, event)
            waiting[:0] = [answer for command in commands for answer in self._answers(command, record)]

    def _stream(self, run_id: RunId) -> Iterator[AnyEvent]:
        yield RunStarted(time_us=0, run_id=run_id, mode="experiment", first_key=0, stop_key=None, maximum_triggers=None)
        entry = ManifestEntry(file="rows.parquet", rows=self.rows, size_bytes=1, fingerprint=self.content, first_key=0)
        yield Discovered(time_us=0, entries=(entry,))
        for index, key in enumerate(self.trigger_keys):
            fired = Fired(id=TriggerId(index), key=key, timestamp_us=key * _SECOND_US, reason="it is time")
            yield Observed(time_us=0, key=key, event_time_us=key * _SECOND_US, triggers=(fired,))
        last_key = self.rows - 1
        closed = tuple(self._slices())
        yield StreamEnded(time_us=0, key=last_key, slices=closed, event_time_us=last_key * _SECOND_US)

    def _slices(self) -> Iterator[Slice]:
        for number in range(self.slices):
            first_key, stop_key = (n * self.rows // self.slices for n in (number, number + 1))
            keys = {"first_key": first_key, "last_key": stop_key - 1}
            yield Slice(window="months", start_us=first_key * _SECOND_US, event_time_us=None, **keys)

    def _answers(self, command: AnyCommand, record: SetupRecord) -> Iterator[AnyEvent]:
        """A worker claims and reports what is published; at its end the run ends."""
        match command:
            case Publish():
                yield from self._done(command.task_id, command.task, record)
            case PublishChord():
                for task_id, task in (*command.headers, (command.body_id, command.body)):
                    yield from self._done(task_id, task, record)
            case End():
                yield Ended(time_us=0, status=command.status, reason=command.reason)
            case _:
                pass

    def _done(self, task_id: TaskId, task: AnyTask, record: SetupRecord) -> Iterator[AnyEvent]:
        who: dict[str, Any] = {"task_id": task_id, "attempt": task.attempt, "worker": WorkerId("worker")}
        parts = parts_of(task_id)
        fails = parts.stage == "select" and parts.trigger_id in self.fails
        done = Failed(**who, sentence="no rows", traceback="") if fails else report_of(task, record, who)
        for report in (Claimed(**who), self._scattered(done)):
            yield Reported(time_us=0, position="1-0", report=report)

    def _scattered(self, report: AnyReport) -> AnyReport:
        """The report, with scores that no other one has."""
        if isinstance(report, Evaluated):
            scores = tuple(msgspec.structs.replace(one, value=self.dice.random()) for one in report.scores)
            return msgspec.structs.replace(report, scores=scores)
        if isinstance(report, Baselined):
            found = {name: tuple(self._other(one) for one in of) for name, of in report.scores.items()}
            return msgspec.structs.replace(report, scores=found)
        return report

    def _other(self, score: Any) -> Any:
        return msgspec.structs.replace(score, value=self.dice.random())

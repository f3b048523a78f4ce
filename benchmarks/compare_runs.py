"""`python -m benchmarks.compare_runs --check`: how long `compare` takes where nothing has to be evaluated anew.

So many runs with so many triggers are made up: the real transition is told what workers would report, and what happened
is written to a journal for each run. They differ in their scores. Then the real command is timed, from its start to its
end. Bound: 10 seconds for 50 runs of 100 triggers.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import yaml

from benchmarks.many_triggers.no_op_work import report_of
from benchmarks.processes import PROJECT
from shared.config.load import Configuration, load_configuration
from shared.dataset.manifest import ManifestEntry
from shared.ids import RunId, TaskId, TriggerId, WorkerId
from shared.messages.reports import AnyReport, Baselined, Claimed, Evaluated
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import AnyTask
from shared.temporary import MEMORY
from supervisor.core.commands import AnyCommand, End, Publish, PublishChord
from supervisor.core.events import (
    AnyEvent,
    Discovered,
    Ended,
    Fired,
    Observed,
    Reported,
    RunStarted,
    Slice,
    StreamEnded,
)
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.directory import RunDirectory
from supervisor.run.journal import Journal
from supervisor.system.setup import setup_record

SECONDS_AT_MOST = 10.0
_ROWS = 100  # of a trigger
_SLICES = 12  # of the stream, on each of which every model is scored
_SECOND_US = 1_000_000
_EVENTS_AT_ONCE = 1_000


def main() -> None:
    """Measure; with --check exit 1 over the bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare_runs", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--triggers", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="exit 1 if the fastest takes longer than the bound")
    parser.add_argument("--folder", type=Path, default=MEMORY if MEMORY.is_dir() else None, help="where all of it lies")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="modyn-compare-", dir=options.folder) as name:
        folder = Path(name)
        for number in range(options.runs):
            _make_up(folder, number, options.triggers)
        size = sum(journal.stat().st_size for journal in folder.glob("runs/*/journal.jsonl"))
        took_s = sorted(_timed(folder) for _ in range(options.repeats))
    told = {"runs": options.runs, "triggers": options.triggers, "journals_mb": round(size / 1e6, 1)}
    print(json.dumps(told | {"fastest_s": round(took_s[0], 2), "slowest_s": round(took_s[-1], 2)}))
    sys.exit(1 if options.check and took_s[0] > SECONDS_AT_MOST else 0)


def _timed(folder: Path) -> float:
    started_s = time.monotonic()
    command = [sys.executable, "-m", "supervisor", "compare", str(folder / "runs"), "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=PROJECT)
    took_s = time.monotonic() - started_s
    if done.returncode != 0:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr}")
    return took_s


def _make_up(folder: Path, number: int, triggers: int) -> None:
    """A run directory with both files and a journal, and objects of a few bytes."""
    directory = RunDirectory(folder / "runs" / f"run-{number:03}")
    files = [folder / "pipeline.yaml", folder / "config.yaml"]
    for file, content in zip(files, (_pipeline(), _config()), strict=True):
        file.write_text(yaml.safe_dump(content))
    configuration = load_configuration(*files, experiment_mode=True)
    directory.path.mkdir(parents=True)
    for file, text in zip(
        files, (configuration.resolved_pipeline_yaml(), configuration.resolved_system_yaml()), strict=True
    ):
        (directory.path / file.name).write_text(text)
    record = setup_record(configuration, RunId(f"run-{number}"), str(directory.path), str(folder), serves=False)
    events = list(_events(configuration, record, triggers, random.Random(number)))
    with closing(Journal(directory.journal_path)) as journal:
        for start in range(0, len(events), _EVENTS_AT_ONCE):
            journal.append(events[start : start + _EVENTS_AT_ONCE])


def _events(
    configuration: Configuration, record: SetupRecord, triggers: int, dice: random.Random
) -> Iterator[AnyEvent]:
    """What happens to a run whose workers take no time."""
    state = RunState(settings=Settings.of(configuration.pipeline, configuration.system))
    waiting = list(_stream(record, triggers))
    while waiting:
        event = waiting.pop(0)
        yield event
        state, commands, _ = transition(state, event)
        for command in commands:
            waiting += _answers(command, record, dice)


def _stream(record: SetupRecord, triggers: int) -> Iterator[AnyEvent]:
    rows = triggers * _ROWS + _ROWS // 2
    entry = ManifestEntry(file="rows.parquet", rows=rows, size_bytes=1, fingerprint="0", first_key=0)
    yield RunStarted(
        time_us=0, run_id=record.run_id, mode="experiment", first_key=0, stop_key=None, maximum_triggers=None
    )
    yield Discovered(time_us=0, entries=(entry,))
    for index in range(triggers):
        key = (index + 1) * _ROWS - 1
        fired = Fired(id=TriggerId(index), key=key, timestamp_us=key * _SECOND_US, reason=f"{_ROWS} rows")
        yield Observed(time_us=0, key=key, event_time_us=key * _SECOND_US, triggers=(fired,))
    length = rows // _SLICES
    slices = [
        Slice(
            window="months",
            start_us=number * length * _SECOND_US,
            first_key=number * length,
            last_key=(number + 1) * length - 1,
            event_time_us=None,
        )
        for number in range(_SLICES)
    ]
    yield StreamEnded(time_us=0, key=rows - 1, slices=tuple(slices), event_time_us=(rows - 1) * _SECOND_US)


def _answers(command: AnyCommand, record: SetupRecord, dice: random.Random) -> Iterator[AnyEvent]:
    """A worker claims and reports what is published; at the end the run ends."""
    match command:
        case Publish():
            yield from _done(command.task_id, command.task, record, dice)
        case PublishChord():
            for task_id, task in (*command.headers, (command.body_id, command.body)):
                yield from _done(task_id, task, record, dice)
        case End():
            yield Ended(time_us=0, status=command.status, reason=command.reason)
        case _:
            pass


def _done(task_id: TaskId, task: AnyTask, record: SetupRecord, dice: random.Random) -> Iterator[AnyEvent]:
    who: dict[str, Any] = {"task_id": task_id, "attempt": task.attempt, "worker": WorkerId("worker")}
    for report in (Claimed(**who), _scattered(report_of(task, record, who), dice)):
        yield Reported(time_us=0, position="1-0", report=report)


def _scattered(report: AnyReport, dice: random.Random) -> AnyReport:
    """The report, with other scores than all others have."""
    if isinstance(report, Evaluated):
        scores = tuple(msgspec.structs.replace(one, value=dice.random()) for one in report.scores)
        return msgspec.structs.replace(report, scores=scores)
    if isinstance(report, Baselined):
        history = {"key": report.history["key"], "counts": [dice.random() for _ in range(10)], "last": 1.0}
        return msgspec.structs.replace(report, history=history)
    return report


def _pipeline() -> dict[str, Any]:
    return {
        "pipeline": {"name": "made-up"},
        "model": {"id": "mlp", "config": {"num_classes": 10}},
        "data": {"dataset": "rows", "split": {"test": 0.2}},
        "trigger": {"policy": "data_amount", "every": _ROWS},
        "initial_mode": "replay",
        "evaluation": {
            "metrics": ["accuracy", "log_loss"],
            "on": [
                {"name": "next", "window": "until_next_trigger"},
                {"name": "recent", "window": {"last": "5m"}, "split": "test"},
                {"name": "months", "window": {"every": "1h"}, "split": "test"},
            ],
        },
        "deployment": {
            "gate": {"metric": "accuracy", "on": "recent", "at_least": 0.1},
            "targets": [{"kind": "directory", "uri": "deployed"}],
        },
    }


def _config() -> dict[str, Any]:
    return {"storage": {"datasets": {"rows": {"uri": "data/*.parquet"}}}, "artifacts": {"uri": "."}}


if __name__ == "__main__":
    main()

"""One `./modyn-supervisor PIPELINE CONFIG`: from the configuration to the closing table, in order."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import redis

from shared.broker import make_app
from shared.claims import Claims
from shared.config.load import Configuration
from shared.dataset.event_time import first_key_after
from shared.dataset.manifest import restore_manifest
from shared.dataset.table import TableDataset
from shared.errors import ModynError
from shared.ids import RunId, TriggerId
from shared.timestamps import now_us
from supervisor.core.advance import SETUP_VERSION
from supervisor.core.events import AnyEvent, Discovered, Fired, Observed, Resumed, RunStarted
from supervisor.core.state import RunState, Settings
from supervisor.core.transition import transition
from supervisor.results.evaluations import evaluations_csv
from supervisor.results.summary import summary
from supervisor.results.tally import Tally
from supervisor.run.check import check
from supervisor.run.directory import RunDirectory
from supervisor.run.journal import Journal
from supervisor.run.loop import Links, Loop
from supervisor.run.publisher import Publisher
from supervisor.run.story import Story
from supervisor.system.platform import Platform
from supervisor.system.readiness import ready_dataset
from supervisor.system.setup import setup_record, tear_down, write_setup

log = logging.getLogger("run")
_SETUP_EXPIRES_S = 30.0


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line adds to the two files."""

    experiment_mode: bool
    run_dir: Path | None = None
    resume: bool = False
    start_replay_us: int | None = None
    stop_replay_us: int | None = None
    maximum_triggers: int | None = None


class Session:
    """A run being started or resumed, carried out, and recorded."""

    def __init__(self, configuration: Configuration, options: Options) -> None:
        self._configuration = configuration
        self._options = options
        self._started_s = time.monotonic()
        self.directory = RunDirectory(options.run_dir or _default_directory(configuration))
        self._tally = Tally(configuration.pipeline)
        self._state = RunState(settings=Settings.of(configuration.pipeline))

    def run(self) -> dict[str, Any] | None:
        """Carry the run out; the summary, None if it was finished before. Raises ModynError."""
        if self._options.resume:
            if self._fold().status == "finished":
                return None
        else:
            self.directory.refuse_if_taken()
        with Platform(self._configuration) as platform:
            return self._on(platform)

    def _fold(self) -> RunState:
        """The state that the journal describes."""
        self.directory.reopen(self._configuration)
        journal = Journal(self.directory.journal_path)
        entries: list[Any] = []
        for event in journal.events():
            self._tally.record(event, self._state)
            self._state, _ = transition(self._state, event)
            if isinstance(event, Discovered):
                entries += event.entries
        journal.close()
        system, name = self._configuration.system, self._configuration.pipeline.data.dataset
        restore_manifest(system.artifacts_root, name, entries)
        return self._state

    def _on(self, platform: Platform) -> dict[str, Any]:
        dataset = ready_dataset(self._configuration)
        workers = platform.ready()
        run_id = self._state.run_id or RunId(f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}")
        claims = Claims(platform.client)
        publisher = Publisher(make_app(platform.url), claims, run_id)
        record = setup_record(self._configuration, run_id, now_us(), str(self.directory.path))
        write_setup(platform.client, record)
        try:
            for worker in workers:
                if worker.role == "train":
                    publisher.set_up(worker.hostname, SETUP_VERSION, _SETUP_EXPIRES_S)
            set_up = check(platform.client, publisher, self._configuration, run_id)
            story = Story(self._tally)
            for acknowledged in set_up:
                story.progress(acknowledged)
            if not self._options.resume:
                self.directory.create(self._configuration)
            links = Links(platform.client, publisher, claims, dataset, platform.fleet, story)
            return self._carry_out(platform, links, run_id)
        finally:
            _quietly(lambda: tear_down(platform.client, run_id))
            publisher.close()

    def _carry_out(self, platform: Platform, links: Links, run_id: RunId) -> dict[str, Any]:
        journal = Journal(self.directory.journal_path)
        loop = Loop(self._configuration, self.directory, journal, self._state, links)
        _stop_on_signals(loop)
        lost = 0
        try:
            if self._options.resume:
                loop.start([Resumed(time_us=now_us())])
            else:
                loop.start(self._first_events(links.dataset, run_id))
            state = loop.run()
            if state.stopping:
                lost = platform.fleet.workers_lost if platform.fleet else 0
                platform.stop_fleet()
                state = loop.finish("stopped", "stopped on request")
        except ModynError as error:
            reason = str(error)
            _quietly(lambda: loop.finish("failed", reason))
            raise
        finally:
            lost = max(lost, platform.fleet.workers_lost if platform.fleet else 0)
            content = self._record(loop.state, links, lost)
            shutil.copyfile(platform.log, self.directory.path / "workers.log")
            journal.close()
        return content

    def _record(self, state: RunState, links: Links, workers_lost: int) -> dict[str, Any]:
        """Write evaluations.csv and summary.json."""
        about = {
            "wall_s": time.monotonic() - self._started_s,
            "faults": {
                "republished": self._tally.republished,
                "workers_lost": workers_lost,
                "reconnects": links.story.reconnects,
            },
        }
        content = summary(state, self._tally, about)
        self.directory.write(
            "evaluations.csv", evaluations_csv(self._tally.scores, self._configuration.pipeline.evaluation)
        )
        self.directory.write("summary.json", json.dumps(content, indent=2) + "\n")
        return content

    def _first_events(self, dataset: TableDataset, run_id: RunId) -> list[AnyEvent]:
        options, mode = self._options, self._configuration.pipeline.initial_mode
        first_key = 0 if mode == "replay" else dataset.rows
        if mode == "replay" and options.start_replay_us is not None:
            first_key = first_key_after(dataset, options.start_replay_us - 1, 0, dataset.rows)
        stop_key = None
        if options.stop_replay_us is not None:
            stop_key = first_key_after(dataset, options.stop_replay_us - 1, first_key, dataset.rows)
        started = RunStarted(
            time_us=now_us(),
            run_id=run_id,
            mode="experiment" if options.experiment_mode else "production",
            first_key=first_key,
            stop_key=stop_key,
            train_on_everything=mode == "train_on_everything",
            maximum_triggers=options.maximum_triggers,
        )
        events: list[AnyEvent] = [Discovered(time_us=now_us(), entries=dataset.entries), started]
        if mode == "train_on_everything":
            step = 1_000_000
            latest_us = max(
                int(dataset.timestamps_us(a, min(a + step, first_key)).max()) for a in range(0, first_key, step)
            )
            reason = f"train_on_everything: all {first_key} rows that exist"
            fired = Fired(id=TriggerId(0), key=first_key - 1, timestamp_us=latest_us, reason=reason)
            events.append(Observed(time_us=now_us(), key=first_key - 1, event_time_us=latest_us, triggers=(fired,)))
        return events


def _default_directory(configuration: Configuration) -> Path:
    name = configuration.pipeline.pipeline.name
    return Path(configuration.system.artifacts_root) / name / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"


def _stop_on_signals(loop: Loop) -> None:
    """The first signal stops cleanly; the second at once: the kernel then ends our broker and workers."""
    asked: list[int] = []

    def handle(number: int, _: object) -> None:
        if asked:
            os._exit(1)
        asked.append(number)
        loop.ask_to_stop(signal.Signals(number).name)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)


def _quietly(act: Any) -> None:
    try:
        act()
    except (ModynError, redis.RedisError, OSError) as error:
        log.debug("not done: %s", error)

"""A session: one process that starts or resumes a run, carries it out, and records what it came to."""

from __future__ import annotations

import json
import logging
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import redis

from shared.broker import make_app
from shared.claims import Claims
from shared.config.load import Configuration
from shared.dataset.manifest import restore_manifest
from shared.errors import ModynError, NotReadyError
from shared.ids import RunId
from shared.timestamps import now_us
from supervisor.core.events import Discovered, Resumed
from supervisor.core.state import RunState, Settings
from supervisor.core.transition import transition
from supervisor.results.evaluations import evaluations_csv
from supervisor.results.summary import summary
from supervisor.results.tally import Tally
from supervisor.run.directory import RunDirectory
from supervisor.run.journal import Journal
from supervisor.run.loop import Links, Loop
from supervisor.run.opening import Scope, opening_events
from supervisor.run.preparation import Preparation, tear_down
from supervisor.run.publisher import Publisher
from supervisor.run.stop_signal import StopSignal
from supervisor.run.story import Story
from supervisor.run.view import View
from supervisor.system.platform import Platform
from supervisor.system.setup import setup_record, write_setup

log = logging.getLogger("run")

MakeView = Callable[[redis.Redis], AbstractContextManager[View]]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line adds to the two files."""

    scope: Scope
    run_dir: Path | None = None
    resume: bool = False


class Session:
    """A run being started or resumed, carried out, and recorded."""

    def __init__(self, configuration: Configuration, options: Options, view: MakeView) -> None:
        self._configuration = configuration
        self._options = options
        self._view = view
        self._started_s = time.monotonic()
        self._stop = StopSignal()
        self.directory = RunDirectory(options.run_dir or _default_directory(configuration))
        self._tally = Tally(configuration.pipeline)
        self._state = RunState(settings=Settings.of(configuration.pipeline))

    def run(self) -> dict[str, Any] | None:
        """Carry the run out; the summary, None if it was finished before. Raises ModynError.

        Raises KeyboardInterrupt for a signal that comes before the run began: then nothing was written.
        """
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
        dataset, workers = platform.ready()
        run_id = self._state.run_id or RunId(f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}")
        publisher = Publisher(make_app(platform.url), platform.client, run_id)
        record = setup_record(self._configuration, run_id, now_us(), str(self.directory.path))
        try:
            write_setup(platform.client, record)
            Preparation(platform.client, publisher, self._configuration, run_id).carry_out(workers)
            self._stop.listen()
            if not self._options.resume:
                self.directory.create(self._configuration)
            with self._view(platform.client) as view:
                links = Links(
                    client=platform.client,
                    publisher=publisher,
                    claims=Claims(platform.client),
                    dataset=dataset,
                    fleet=platform.fleet,
                    setup=record,
                    story=Story(self._tally),
                    view=view,
                    stop=self._stop,
                )
                return self._carry_out(platform, links)
        except redis.RedisError as error:
            raise NotReadyError(f"broker.url: the broker went away while the run was being set up ({error}).") from None
        finally:
            platform.stop_fleet()  # our own workers need no message
            _quietly(lambda: tear_down(platform.client, publisher, run_id))
            publisher.close()

    def _carry_out(self, platform: Platform, links: Links) -> dict[str, Any]:
        journal = Journal(self.directory.journal_path)
        loop = Loop(self._configuration, self.directory, journal, self._state, links)
        lost = 0
        try:
            if self._options.resume:
                loop.start([Resumed(time_us=now_us())])
            else:
                pipeline, run_id = self._configuration.pipeline, links.setup.run_id
                loop.start(opening_events(pipeline, self._options.scope, links.dataset, run_id))
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


def _default_directory(configuration: Configuration) -> Path:
    name = configuration.pipeline.pipeline.name
    return Path(configuration.system.artifacts_root) / name / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"


def _quietly(act: Any) -> None:
    try:
        act()
    except (ModynError, redis.RedisError, OSError) as error:
        log.debug("not done: %s", error)

"""Broker and fleet of one supervisor: started in order, stopped in the opposite order."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import redis

from shared.config.load import Configuration
from shared.dataset.table import TableDataset
from shared.errors import NotReadyError
from shared.fleet import WorkerEntry
from supervisor.system.embedded_broker import EmbeddedBroker, find_broker
from supervisor.system.local_fleet import LocalFleet
from supervisor.system.readiness import reach_broker, ready_dataset, ready_workers


class Platform:
    """A context: inside it the broker answers, and the supervisor's own workers run."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._undo = ExitStack()
        self.fleet: LocalFleet | None = None
        self.url = configuration.system.broker.url
        self.client: redis.Redis
        self.log: Path

    def __enter__(self) -> Platform:
        with self._undo as undo:  # what was started is stopped again if the rest cannot be
            self._start(undo)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._undo.close()

    def _start(self, undo: ExitStack) -> None:
        system = self._configuration.system
        if self.url == "embedded":
            self.url = find_broker(system.artifacts_root) or self._own_broker(undo)
        self.client = reach_broker(self.url, system.broker.masked_url)
        undo.callback(self.client.close)
        self.log = Path(tempfile.mkstemp(prefix="modyn-workers-", suffix=".log")[1])
        undo.callback(self.log.unlink, missing_ok=True)
        if system.fleet.train or system.fleet.evaluate:
            self.fleet = LocalFleet(system, self.url, self.log)
            undo.callback(self.stop_fleet)

    def _own_broker(self, undo: ExitStack) -> str:
        broker = EmbeddedBroker(self._configuration.system.artifacts_root)
        undo.callback(broker.stop)  # last of all: workers that lose their broker complain
        return broker.url

    def ready(self) -> tuple[TableDataset, list[WorkerEntry]]:
        """The dataset and the workers, once both are usable. Raises NotReadyError with all that is wrong."""
        problems: list[str] = []
        dataset = workers = None
        try:
            dataset = ready_dataset(self._configuration)
        except NotReadyError as error:
            problems += error.problems
        try:
            workers = ready_workers(self.client, self._configuration, self._start_failed)
        except NotReadyError as error:
            problems += error.problems
        if dataset is None or workers is None:
            raise NotReadyError(*problems)
        return dataset, workers

    def stop_fleet(self) -> None:
        """Have our own workers hand back what they do, and exit."""
        if self.fleet is not None:
            self.fleet.stop()
            self.fleet = None

    def _start_failed(self) -> str | None:
        if self.fleet is None or not self.fleet.dead():
            return None
        said = self.log.read_text(errors="replace").strip().splitlines()
        return f"fleet: worker {self.fleet.dead()[0]} ended while starting: {said[-1] if said else 'it said nothing'}"

"""Broker and fleet of one supervisor: started in order, stopped in the opposite order."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType

import redis

from shared.config.load import Configuration
from shared.fleet import WorkerEntry
from supervisor.system.embedded_broker import EmbeddedBroker, find_broker
from supervisor.system.local_fleet import LocalFleet
from supervisor.system.readiness import reach_broker, ready_workers


class Platform:
    """A context: inside it the broker answers, and the supervisor's own workers run."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._broker: EmbeddedBroker | None = None
        self.fleet: LocalFleet | None = None
        self.url = configuration.system.broker.url
        self.client: redis.Redis
        self.log = Path(tempfile.mkstemp(prefix="modyn-workers-", suffix=".log")[1])

    def __enter__(self) -> Platform:
        system = self._configuration.system
        if self.url == "embedded":
            found = find_broker(system.artifacts_root)
            if found is None:
                self._broker = EmbeddedBroker(system.artifacts_root)
            self.url = found or self._broker.url if self._broker else str(found)
        self.client = reach_broker(self.url, system.broker.masked_url)
        if system.fleet.train or system.fleet.evaluate:
            self.fleet = LocalFleet(system, self.url, self.log)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop_fleet()
        self.client.close()
        if self._broker is not None:  # last: workers that lose their broker complain
            self._broker.stop()
        self.log.unlink(missing_ok=True)

    def ready(self) -> list[WorkerEntry]:
        """Wait for the workers. Raises NotReadyError."""
        return ready_workers(self.client, self._configuration, self._start_failed)

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

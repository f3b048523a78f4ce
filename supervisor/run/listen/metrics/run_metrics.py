"""All that Prometheus is told of a run, and where its workers tell of themselves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from shared.addresses import Address
from shared.config.load import Configuration
from shared.config.secrets import hide
from shared.errors import NotReadyError
from shared.exposition.metric import Metric
from shared.ids import RunId
from supervisor.core.notices import Listener, Told
from supervisor.core.state import RunState
from supervisor.run.listen.metrics.asked import Answer, Asked
from supervisor.run.listen.metrics.heard import Heard
from supervisor.run.listen.metrics.seen import Seen, families
from supervisor.run.listen.silence import Silence

INFO = Metric("modyn_run_info", "Which run this is.")
SILENCE = Metric(
    "modyn_silence_seconds", "Since a worker took or told anything, while tasks are open and none is worked on; else 0."
)
STALL_AFTER = Metric("modyn_stall_after_seconds", "training.stall_after: what silence is too long.")
JOURNAL = Metric("modyn_journal_bytes", "Size of journal.jsonl.")


class RunMetrics(Listener, Collector):
    """Hears in the thread of the loop, which costs a few counters; is collected from in another when somebody asks."""

    def __init__(self, configuration: Configuration, run_id: RunId, broker_url: str, journal: Path) -> None:
        self._pipeline, self._run_id, self._journal = configuration.pipeline, run_id, journal
        self._heard, self._silence = Heard(configuration.pipeline), Silence()
        self._asked = Asked(broker_url, run_id, configuration.system.lease_s)
        self._seen: Seen | None = None

    def hear(self, told: Told) -> None:
        """Count it."""
        self._silence.hear(told)
        self._heard.hear(told)

    def turn(self, state: RunState, rows: int) -> None:
        """Keep the newest, and look at nothing."""
        self._silence.turn(state, rows)
        self._seen = Seen(state, rows)

    def collect(self) -> Iterator[Family]:
        """All of it as it is now."""
        seen, answer = self._seen, self._asked.ask()
        mode = {} if seen is None else {"mode": seen.state.started.mode}
        yield INFO.info({"run": self._run_id, "pipeline": self._pipeline.pipeline.name, **mode})
        yield from families(seen)
        yield from self._heard.families()
        yield from self._asked.families(answer)
        yield SILENCE.gauge(self._silent_s(seen, answer))
        yield STALL_AFTER.gauge(self._pipeline.training.stall_after_s)
        with suppress(OSError):  # before the run has begun
            yield JOURNAL.gauge(self._journal.stat().st_size)

    def _silent_s(self, seen: Seen | None, answer: Answer | None) -> float:
        """A task whose lease is renewed goes on, however seldom it reports: its worker ends it if it hangs."""
        waits = seen is not None and seen.state.status == "running" and len(seen.state.tasks) > 0
        works = answer is not None and self._asked.leased(answer) > 0
        return self._silence.lasts_s if waits and not works else 0.0

    def targets(self, own: Address) -> list[dict[str, Any]]:
        """For http_sd of Prometheus: this supervisor, and all workers that serve metrics. Raises NotReadyError."""
        try:
            workers = self._asked.workers()
        except redis.RedisError as error:
            raise NotReadyError(f"The broker does not answer: {hide(str(error))}.") from None
        about = {"component": "supervisor", "host": socket.gethostname()}
        return [
            {"targets": [str(own.from_elsewhere())], "labels": about},
            *(
                {
                    "targets": [one.metrics],
                    "labels": {
                        "component": "worker",
                        "host": one.host,
                        "role": one.role,
                        "device": one.device,
                        "worker": one.name,
                    },
                }
                for one in workers
                if one.metrics is not None
            ),
        ]

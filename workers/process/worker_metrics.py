"""What a worker shows to Prometheus: its main process is asked, so that it answers while its child is at work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from shared.exposition.metric import Metric
from workers.measured import Measured, MeasuredFile
from workers.process.slot import Slot, SlotFile

INFO = Metric("modyn_worker_info", "Which worker this is, and what it runs.")
READY = Metric("modyn_worker_ready", "Whether its child can take a task: 1 or 0.")
BENCHED = Metric("modyn_worker_benched", "Whether it takes nothing more, as its device failed again and again.")
BUSY = Metric("modyn_worker_busy", "Whether it has a task: 1 or 0.")
TASK_AGE = Metric("modyn_worker_task_age_seconds", "For how long it has had it; 0 without one.")
ENDED = Metric("modyn_worker_tasks_total", "Tasks that it was at: done, failed, or released.", ("kind", "outcome"))
BUSY_S = Metric("modyn_worker_busy_seconds_total", "What these took.", ("kind",))
ROWS = Metric("modyn_worker_trained_rows_total", "Rows that it learned from, each as often as it was seen.")
LOSS = Metric("modyn_worker_training_loss", "The newest loss of its trainings.")
DEVICE = Metric("modyn_worker_device_memory_bytes", "Memory of its GPU that its child holds.")
CHILD_CPU = Metric("modyn_worker_child_cpu_seconds_total", "Processor time of its child, from that child's start on.")
CHILD_MEMORY = Metric("modyn_worker_child_resident_memory_bytes", "Memory of its child.")


class WorkerMetrics(Collector):
    """Reads what the child says; nothing is looked at while nobody asks."""

    def __init__(self, hostname: str, slot: SlotFile) -> None:
        self._hostname, self._slot = hostname, slot
        self._measured = MeasuredFile(slot.folder)

    def collect(self) -> Iterator[Family]:
        """All of it as it is now."""
        slot = self._slot.read()
        yield from self._about(slot)
        yield from _of_work(self._measured.read())
        if slot is not None:
            yield from _of_child(slot.pid)

    def _about(self, slot: Slot | None) -> Iterator[Family]:
        known = {} if slot is None else {"device_name": slot.device_name, **slot.versions}
        works = slot is not None and slot.attempt is not None
        yield INFO.info({"worker_name": self._hostname, **known})
        yield READY.gauge(slot is not None)
        yield BENCHED.gauge(self._slot.benched() is not None)
        yield BUSY.gauge(works)
        yield TASK_AGE.gauge(time.monotonic() - slot.since_s if slot is not None and works else 0.0)


def _of_work(measured: Measured) -> Iterator[Family]:
    yield ENDED.counter({(kind, how): n for kind, outcomes in measured.ended.items() for how, n in outcomes.items()})
    yield BUSY_S.counter({(kind,): seconds for kind, seconds in measured.busy_s.items()})
    yield ROWS.counter(measured.trained_rows)
    yield LOSS.gauge(measured.loss)
    yield DEVICE.gauge(measured.device_bytes)


def _of_child(pid: int) -> Iterator[Family]:
    with suppress(psutil.Error):  # it has just ended
        child = psutil.Process(pid)
        used, memory = child.cpu_times(), child.memory_info()
        yield CHILD_CPU.counter(used.user + used.system)
        yield CHILD_MEMORY.gauge(memory.rss)

"""What Prometheus is told of a run, as a scraper sees it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from run_of_events import RUN
from workplace import Workplace

from shared.config.load import load_configuration
from supervisor.run.listen.metrics.run_metrics import RunMetrics


class ShownRun:
    """The metrics of a run in a small workplace, whose broker is at this URL."""

    def __init__(self, small: Workplace, broker_url: str) -> None:
        small.write()
        files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
        configuration = load_configuration(*files, experiment_mode=True)
        self.metrics = RunMetrics(configuration, RUN, broker_url, small.folder / "journal.jsonl")
        self._registry = CollectorRegistry()
        self._registry.register(self.metrics)

    def value(self, name: str, **labels: str) -> float | None:
        """One sample."""
        return self._registry.get_sample_value(name, labels)

    def series(self) -> set[tuple[str, frozenset[tuple[str, str]]]]:
        """All of them, by name and labels."""
        return {
            (one.name, frozenset(one.labels.items())) for family in self._registry.collect() for one in family.samples
        }

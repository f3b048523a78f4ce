"""A metric as Prometheus knows it: its name, what it means and its labels; and its samples of this moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric as Family

Labels = tuple[str, ...]  # their values, in the order of the metric's
Samples = Mapping[Labels, float]


class Metric(NamedTuple):
    """Names follow Prometheus' conventions: base units, `_total` behind what only grows."""

    name: str
    meaning: str
    labels: Labels = ()

    def gauge(self, samples: Samples | float | None) -> Family:
        """What goes up and down; without a sample where nothing is known."""
        family = GaugeMetricFamily(self.name, self.meaning, labels=self.labels)
        for labels, value in _samples(samples).items():
            family.add_metric(labels, value)
        return family

    def counter(self, samples: Samples | float) -> Family:
        """What only grows while the process lives."""
        family = CounterMetricFamily(self.name, self.meaning, labels=self.labels)
        for labels, value in _samples(samples).items():
            family.add_metric(labels, value)
        return family

    def info(self, values: Mapping[str, str]) -> Family:
        """Who it is: texts, as the labels of a sample that is always 1."""
        return InfoMetricFamily(self.name.removesuffix("_info"), self.meaning, value=dict(values))


def _samples(samples: Samples | float | None) -> Samples:
    if samples is None:
        return {}
    return samples if isinstance(samples, Mapping) else {(): samples}


class Tally:
    """Counts by labels. One thread adds; another may read, and sees each count before or after, never between."""

    def __init__(self, *begun: Labels) -> None:
        """`begun`: those that are known to come, so that their growth is seen from 0 on."""
        self._counts: dict[Labels, float] = dict.fromkeys(begun, 0.0)

    def add(self, *labels: str, by: float = 1.0) -> None:
        """So much more."""
        self._counts[labels] = self._counts.get(labels, 0.0) + by

    def samples(self) -> Samples:
        """All counts so far."""
        return self._counts.copy()

"""Somebody who asks the supervisor for its metrics again and again, as Prometheus does, and adds up what that cost."""

from __future__ import annotations

import re
import threading
import time
import urllib.request
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.many_triggers.scene import Scene

_LOOK_S = 0.02

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Scraper(threading.Thread):
    """Asks from the moment when the supervisor says where, until it has ended."""

    def __init__(self, scene: Scene, every_s: float) -> None:
        super().__init__(name="scraper", daemon=True)
        self._scene, self._every_s = scene, every_s
        self._scrapes = 0
        self._newest: Series = {}
        self._at_half: Series = {}  # when half of the triggers had a model
        self._most_s = 0.0

    def run(self) -> None:
        """Ask at equal intervals; one that is not answered is the last."""
        log = self._scene.folder / "log"
        while not (found := re.search(r"metrics are at (http://\S+/metrics)", log.read_text())):
            time.sleep(_LOOK_S)
        while True:
            began_s = time.monotonic()
            try:
                with urllib.request.urlopen(found[1]) as answer:
                    text = answer.read().decode()
            except OSError:
                return
            took_s = time.monotonic() - began_s
            self._scrapes, self._most_s = self._scrapes + 1, max(self._most_s, took_s)
            self._note(text)
            time.sleep(max(0.0, self._every_s - took_s))

    def _note(self, text: str) -> None:
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        self._newest = {(one.name, tuple(sorted(one.labels.items()))): one.value for one in samples}
        made = self._newest.get(("modyn_triggers", (("state", "committed"),)), 0)
        if not self._at_half and made >= self._scene.triggers / 2:
            self._at_half = self._newest

    def told(self) -> dict[str, Any]:
        """How often it was answered, what each answer cost, and its share of all that the supervisor computed."""
        cost_s = self._newest["modyn_metrics_cpu_seconds_total", ()]
        return {
            "scrapes": self._scrapes,
            "series": len(self._newest),
            "new_series": sorted(str(one) for one in self._newest.keys() - self._at_half.keys()),
            "scrape_cpu_ms": round(cost_s * 1000 / self._scrapes, 2),
            "scrape_longest_ms": round(self._most_s * 1000),
            "scrape_share_of_cpu": round(cost_s / self._newest["process_cpu_seconds_total", ()], 4),
        }

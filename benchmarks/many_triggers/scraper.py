"""Somebody who asks the supervisor for its metrics again and again, as Prometheus does, and adds up what that cost."""

from __future__ import annotations

import re
import threading
import time
import urllib.request
from typing import Any

from benchmarks.many_triggers.scene import Scene

_LOOK_S = 0.02


class Scraper(threading.Thread):
    """Asks from the moment when the supervisor says where, until it has ended."""

    def __init__(self, scene: Scene, every_s: float) -> None:
        super().__init__(name="scraper", daemon=True)
        self._scene, self._every_s = scene, every_s
        self._scrapes = 0
        self._newest = ""
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
            self._most_s, self._newest = max(self._most_s, took_s), text
            self._scrapes += 1
            time.sleep(max(0.0, self._every_s - took_s))

    def told(self) -> dict[str, Any]:
        """How often it was answered, what each answer cost, and its share of all that the supervisor computed."""
        cpu_s = {name: self._value(name) for name in ("modyn_metrics_cpu_seconds_total", "process_cpu_seconds_total")}
        cost_s, all_s = cpu_s.values()
        return {
            "scrapes": self._scrapes,
            "series": sum(not line.startswith("#") for line in self._newest.splitlines()),
            "scrape_cpu_ms": round(cost_s * 1000 / self._scrapes, 2),
            "scrape_longest_ms": round(self._most_s * 1000),
            "scrape_share_of_cpu": round(cost_s / all_s, 4),
        }

    def _value(self, name: str) -> float:
        found = re.search(rf"^{name} (\S+)$", self._newest, re.MULTILINE)
        assert found is not None, f"{name} is not there"
        return float(found[1])

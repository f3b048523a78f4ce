"""Writes what a run has come to: evaluations.csv and summary.json, at its end, and now and then while it goes on."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from shared.config.pipeline import Pipeline
from shared.messages.reports import Progress
from supervisor.core.notices import Listener, Told, TriggerFired, Waits
from supervisor.core.state import RunState
from supervisor.results.evaluations import evaluations_csv
from supervisor.results.summary import summary
from supervisor.results.tally import Tally
from supervisor.run.directory import RunDirectory
from supervisor.system.setup import deployment_targets

log = logging.getLogger(__name__)

_EVERY_S = 10.0  # and never for more than a fiftieth of the time


class Recorder(Listener):
    """Knows the tally of the run, whether that was read from the journal or is heard now."""

    def __init__(self, pipeline: Pipeline, directory: RunDirectory, tally: Tally) -> None:
        self._pipeline = pipeline
        self._directory = directory
        self._tally = tally
        self._started_s, self._before_s = time.monotonic(), 0.0
        self._changed = False
        self._waits_for: str | None = None
        self._next_s = 0.0

    def go_on_with(self, tally: Tally, worked_s: float = 0.0) -> None:
        """Take over what earlier sessions came to, and how long they lasted."""
        self._tally, self._before_s = tally, worked_s

    def hear(self, told: Told) -> None:
        """Something has changed."""
        self._tally.hear(told)
        self._changed = self._changed or not isinstance(told, Progress)
        if isinstance(told, Waits | TriggerFired):
            self._waits_for = told.sentence if isinstance(told, Waits) else None

    def turn(self, state: RunState, rows: int) -> None:
        """Record a run that follows its dataset, which may not end for months."""
        now_s = time.monotonic()
        if not state.experiment and self._changed and now_s >= self._next_s:
            self._changed = False
            self.record(state)
            took_s = time.monotonic() - now_s
            self._next_s = now_s + max(_EVERY_S, 50 * took_s)

    def record(self, state: RunState) -> dict[str, Any]:
        """Write both files, as far as the run has come; the content of the summary."""
        waits_for = self._waits_for if state.status == "running" else None
        wall_s = self._before_s + time.monotonic() - self._started_s
        about = {"wall_s": wall_s, "waits_for": waits_for}
        targets = deployment_targets(self._pipeline, str(self._directory.path), serves=state.started.serves)
        content = summary(state, self._tally, targets, about)
        self._directory.write("evaluations.csv", evaluations_csv(self._tally.scores, self._pipeline.evaluation))
        self._directory.write("summary.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        return content

"""Scores on the rows that are compared, window by window, and their means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.ids import TriggerId
from shared.messages.reports import MetricValue
from shared.messages.rescore import Rescored
from supervisor.compare.scored_run import WHOSE, Scores, Window
from supervisor.results.composite import Composite, composite


class Measured(NamedTuple):
    """What a window of a run comes to on the rows that are compared: `n` of them."""

    trigger_id: TriggerId
    n: int
    first_us: int | None  # event time at the first of its rows, and at the last
    last_us: int | None
    scores: Scores

    @classmethod
    def as_journaled(cls, window: Window) -> Measured:
        """Of a window that is not cut."""
        return cls._of(window.trigger_id, window.scores)

    @classmethod
    def anew(cls, rescored: Rescored, first_model: TriggerId) -> Measured:
        """Of one that is."""
        models = {"pipeline": f"model {rescored.trigger_id}", "first_model": f"model {first_model}"}
        found = {whose: rescored.scores[models.get(whose, whose)] for whose in WHOSE}
        return cls._of(rescored.trigger_id, {whose: {one.metric: one for one in of} for whose, of in found.items()})

    @classmethod
    def _of(cls, trigger_id: TriggerId, scores: Scores) -> Measured:
        own = list(scores["pipeline"].values())
        rows = next((one for one in own if one.value is not None), own[0])
        return cls(trigger_id, rows.n, rows.first_timestamp_us, rows.last_timestamp_us, scores)

    def value(self, metric: str) -> float | None:
        """The run's own."""
        return self.scores["pipeline"][metric].value


def composites(windows: Sequence[Measured], metric: str) -> dict[str, Composite]:
    """Whose → the mean over the windows that have a value of the run's own; its own counts those that have none."""
    return {whose: composite(dict(enumerate(_of(windows, metric, whose)))) for whose in WHOSE}


def _of(windows: Sequence[Measured], metric: str, whose: str) -> list[MetricValue | None]:
    chosen = [one for one in windows if whose == "pipeline" or one.value(metric) is not None]
    return [one.scores[whose].get(metric) for one in chosen]

"""What a run scored, of all that are compared: on the rows that each of them has a model for."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.ids import parts_of

OWN, FIRST = "this pipeline", "first model kept"
BASELINES = {"majority": "majority so far", "no_change": "no change"}
WHOSE = (OWN, FIRST, *BASELINES.values())
METRICS = ("accuracy", "log_loss")

Windows = dict[int, dict[str, tuple[float, int]]]  # trigger → metric → value and rows of the window behind it


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A run's scores window by window, and how much it trained."""

    delay_days: int
    samples_trained: int
    triggers: int
    empty: int  # triggers that had nothing to train on
    windows: Mapping[str, Windows] = field(repr=False)  # whose → its windows

    @property
    def first_trigger(self) -> int:
        """The first that has a model."""
        return min(self.windows[OWN])

    def score(self, whose: str, metric: str, from_trigger: int) -> float:
        """The mean over all windows from that trigger's on, weighted by rows."""
        chosen = [scores[metric] for trigger, scores in self.windows[whose].items() if trigger >= from_trigger]
        return math.fsum(value * rows for value, rows in chosen) / sum(rows for _, rows in chosen)

    def rows(self, from_trigger: int) -> int:
        """How many rows these are."""
        own = self.windows[OWN].items()
        return sum(scores[METRICS[0]][1] for trigger, scores in own if trigger >= from_trigger)


def outcome(run_dir: Path, delay_days: int) -> Outcome:
    """What stands in the journal and the summary of a run that has ended."""
    summary = json.loads((run_dir / "summary.json").read_text())
    first = next(one["id"] for one in summary["trigger_list"] if one["samples_selected"])
    windows: dict[str, Windows] = {whose: {} for whose in WHOSE}
    for whose, score in _scores(run_dir / "journal.jsonl", first):
        by_metric = windows[whose].setdefault(score["window_of"], {})
        by_metric[score["metric"]] = score["value"], score["n"]
    return Outcome(
        delay_days=delay_days,
        samples_trained=summary["samples_trained"],
        triggers=summary["triggers"],
        empty=sum(not one["samples_selected"] for one in summary["trigger_list"]),
        windows=windows,
    )


def _scores(journal: Path, first: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Whose, and one score of a window until the next trigger, with the trigger that this window is behind."""
    for line in journal.read_bytes().splitlines():
        report = json.loads(line).get("report", {})
        kind = report.get("report")
        if kind == "baselined":
            trigger = parts_of(report["task_id"]).trigger_id
            for name, scores in report["scores"].items():
                yield from ((BASELINES[name], {**one, "window_of": trigger}) for one in scores)
        elif kind == "evaluated":
            trigger = parts_of(report["task_id"]).trigger_id
            for score in _prequential(report["scores"]):
                for whose, model in ((OWN, trigger), (FIRST, first)):
                    if score["trigger_id"] == model:
                        yield whose, {**score, "window_of": trigger}


def _prequential(scores: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return (score for score in scores if score["window"] == "next")

"""`python -m benchmarks.label_delay`: what it costs that labels are known later than their rows.

Each stream is replayed once for each delay, as an experiment, with the same triggers and the same model; the runs share
one train and one evaluate worker, one after the other. Streams are elec2 (half-hours of electricity prices, from
../shared/data, where that is) and weather (hours of three years, which this script makes up).

Printed is a table for each stream, a line a delay: the scores of the pipeline, of its first model, and of both
baselines, which guess from the labels known by then; all on the same rows, those for which the longest delay has a
model, too. Then how many rows were trained on, and how many triggers had nothing to train on. Bound: with the longest
delay neither the pipeline nor a guess of no change has a better accuracy than with the shortest.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.label_delay.scene import Question, Scene
from benchmarks.label_delay.scores import BASELINES, FIRST, METRICS, OWN, Outcome, outcome
from benchmarks.label_delay.streams import ELEC2, STREAMS, Stream
from benchmarks.processes import end_in_order_when_asked

_SHOWN = (  # whose, metric, title
    (OWN, "accuracy", "accuracy"),
    (OWN, "log_loss", "log loss"),
    (FIRST, "accuracy", "first model kept"),
    (BASELINES["majority"], "accuracy", "majority"),
    (BASELINES["no_change"], "accuracy", "no change"),
)


def main() -> None:
    """Measure; with --check exit 1 if a bound is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.label_delay", description=__doc__.splitlines()[0])
    parser.add_argument("--streams", nargs="*", default=list(STREAMS), choices=list(STREAMS))
    parser.add_argument("--days", nargs="*", type=int, default=[0, 1, 7, 30], help="delays")
    parser.add_argument("--every", default="7d", help="between two triggers, such as 7d")
    parser.add_argument("--strategy", default="new_data", choices=("new_data", "all_data"))
    parser.add_argument("--in-table", action="store_true", help="labels in a table of their own: the same figures")
    parser.add_argument("--json", action="store_true", help="print one object a run instead")
    parser.add_argument("--check", action="store_true", help="exit 1 if a bound is broken")
    options = parser.parse_args()
    end_in_order_when_asked()
    broken = []
    for name in options.streams:
        stream = STREAMS[name]()
        if stream is None:
            print(f"{name} is left out: there is no {ELEC2}.", file=sys.stderr)
            continue
        outcomes = _measure(options, name, stream)
        _print(name, options, outcomes)
        broken += _broken(name, outcomes)
    for sentence in broken:
        print(f"broken: {sentence}")
    sys.exit(1 if broken and options.check else 0)


def _measure(options: argparse.Namespace, name: str, stream: Stream) -> list[Outcome]:
    """One experiment for each delay."""
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="modyn-delay-") as folder:
        scene = Scene(folder=Path(folder))
        try:
            scene.set()
            for days in sorted(options.days):
                told = {"every": options.every, "strategy": options.strategy, "in_table": options.in_table}
                outcomes.append(outcome(scene.ask(Question(name=name, delay_days=days, **told), stream), days))
        finally:
            scene.end()
    return outcomes


def _print(name: str, options: argparse.Namespace, outcomes: Sequence[Outcome]) -> None:
    common = max(one.first_trigger for one in outcomes)
    if options.json:
        for one in outcomes:
            scores = {whose: {metric: one.score(whose, metric, common) for metric in METRICS} for whose in one.windows}
            told = {key: value for key, value in asdict(one).items() if key != "windows"}
            print(json.dumps({"stream": name, **told, "rows_scored": one.rows(common), "scores": scores}))
        return
    rows = outcomes[0].rows(common)
    table = Table(title=f"{name}: {outcomes[0].triggers} triggers, every {options.every}; {rows:,} rows scored")
    for title in ("delay", *(title for *_, title in _SHOWN), "rows trained", "nothing to train on"):
        table.add_column(title, justify="right")
    for one in outcomes:
        values = (f"{one.score(whose, metric, common):.4f}" for whose, metric, _ in _SHOWN)
        table.add_row(f"{one.delay_days}d", *values, f"{one.samples_trained:,}", str(one.empty))
    Console(width=110).print(table)


def _broken(name: str, outcomes: Sequence[Outcome]) -> list[str]:
    """Bounds that do not hold."""
    common, first, last = max(one.first_trigger for one in outcomes), outcomes[0], outcomes[-1]
    sentences = []
    for whose in (OWN, BASELINES["no_change"]):
        early, late = (one.score(whose, "accuracy", common) for one in (first, last))
        if late > early:
            delays = f"{last.delay_days}d than with {first.delay_days}d"
            sentences.append(f"{name}: {whose} is better with labels after {delays}: {late:.4f}, {early:.4f}")
    return sentences


if __name__ == "__main__":
    main()

"""The table of policies: every policy of the product is in it, on any stream; and what it says follows from figures."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from benchmarks.policies.asked import Shape, policies_file
from benchmarks.policies.found import Found, Line, Priced, read, write
from benchmarks.policies.page import put, tables
from benchmarks.policies.rivals.all import PERIOD
from benchmarks.policies.streams import NAMES, shipped
from benchmarks.policies.why import why
from shared.plugins import METRICS, TRIGGERS
from supervisor.backtest.grid.policies_file import load_policies

LINES = (  # kind, name, trainings, cost, cost on the rows that are learned from
    ("policy", "performance: drop", 4, 760.0, 510.0),
    ("policy", "data_amount", 8, 700.0, 500.0),
    ("rival", PERIOD, 8, 720.0, 490.0),
    ("rival", "CUSUM on the loss", 6, 740.0, 480.0),
    ("best", "best schedule", 5, 600.0, None),
)


def shape(name: str) -> Shape:
    """As that of a stream that is shipped, with figures that are made up."""
    stream = shipped(name)
    pipeline = yaml.safe_load(stream.pipeline.read_text())
    labels = tuple(pipeline["evaluation"]["metrics"])
    return Shape(
        every=stream.every,
        rows=336,
        seconds=7 * 86_400.0,
        learned_rows=17_000,
        metric=labels[0],
        kept=0.6,
        renewed=0.65,
        is_bounded=METRICS[labels[0]].worst is not None,
        is_text=name == "babynames",
        labels=labels,
    )


@pytest.mark.parametrize("name", NAMES)
def test_each_stream_tries_every_policy(tmp_path: Path, name: str) -> None:
    """The command takes the file as it is, and no policy that the product has is left out."""
    stream, file = shipped(name), tmp_path / "policies.yaml"
    file.write_text(yaml.safe_dump(policies_file(stream.every, list(stream.strategies), 50.0, shape(name))))
    loaded = load_policies(file, stream.pipeline, stream.config)
    ours = {name for name in TRIGGERS if TRIGGERS[name].__module__.startswith("supervisor.")}
    assert {one.block["policy"] for one in loaded.policies} == ours
    assert [one.training for one in loaded.prices] == [50.0]


def found() -> Found:
    """One price, at which the best policy that looks is dearer than the period."""
    lines = [
        Line(
            name=name,
            kind=kind,
            trainings=trainings,
            mean=0.8,
            cost=cost,
            regret=cost - 600,
            parameters={},
            learned_cost=learned,
        )
        for kind, name, trainings, cost, learned in LINES
    ]
    return Found(
        stream="sensors",
        metric="accuracy",
        every=60,
        strategies=("all_data",),
        models=40,
        windows=40,
        learned_windows=16,
        learned_until="2008-09-01T00:00:00.000000Z",
        judged_rows=1_440,
        prices=(Priced(share=0.005, price=30.0, lines=tuple(lines)),),
    )


def test_it_says_why_no_policy_beats_the_period() -> None:
    """Four trainings less save 120, and 160 more are lost; what could be gained at all is said, too."""
    told = why(found().prices[0])
    assert "no policy that looks beats the tuned period (720), with 4 trainings against 8 and 160 more loss" in told
    assert "costs 600, 16.7 % less than the period" in told
    assert told.endswith("Ours trains too seldom here: the 4 trainings less save 120, and lose 160.")


def test_the_tables_are_made_of_what_is_kept(tmp_path: Path) -> None:
    """They stand where the page has a place for them, and a page without one is refused."""
    write(tmp_path, found())
    kept, page = read(tmp_path, "sensors"), tmp_path / "page.md"
    assert kept == found()
    page.write_text("before\n<!-- made by benchmarks.policies: begin -->\nold\n<!-- end -->\nafter\n")
    put(page, tables([kept]))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| 0.5 %: 30 | 720 | performance: drop | +5.6 % | data_amount | −2.8 % | +2.8 % | −16.7 % |" in text
    page.write_text("nothing")
    with pytest.raises(ValueError, match="has no lines"):
        put(page, "x")

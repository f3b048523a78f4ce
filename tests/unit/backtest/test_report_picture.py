"""The picture of a back-test, as matplotlib's own objects have it, and as a file."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from judged_grids import Price, made_up_content
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from workplace import environment

from supervisor.backtest.report.picture.figure import figure_of
from supervisor.backtest.report.plot import plot
from supervisor.compare.picture.settings import settings

PRICE = Price(2.0, written=2)


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    with settings():
        yield


def drawn(content: dict[str, Any]) -> Axes:
    """The axes of the figure, after all was laid out."""
    figure = figure_of(content)
    FigureCanvasAgg(figure).draw()
    return figure.axes[0]


def line_of(axes: Axes, label: str) -> Any:
    """What the legend calls so."""
    return next(line for line in axes.lines if str(line.get_label()).startswith(label))


def named(axes: Axes, words: str) -> list[Any]:
    """Names beside points."""
    return [text for text in axes.texts if words in text.get_text()]


def test_what_is_drawn() -> None:
    """A point a policy, the least costly of them apart; the best schedules as steps; a level for a guess."""
    content = made_up_content(prices=[PRICE])
    axes = drawn(content)
    first, *others = content["policies"]
    assert [*line_of(axes, "least costly policy").get_xydata()[0]] == [first["trainings"], first["mean"]]
    assert {tuple(one) for one in line_of(axes, "policy").get_xydata()} == {
        (one["trainings"], one["mean"]) for one in others
    }
    steps = line_of(axes, "best schedule")
    assert steps.get_drawstyle() == "steps-post"
    assert [tuple(one) for one in steps.get_xydata()[:-1]] == [
        (one["trainings"], one["mean"]) for one in content["frontier"]
    ]
    assert all(mean >= one["mean"] for one in content["policies"] for mean in [content["frontier"][-1]["mean"]])
    assert [text.get_text() for text in named(axes, "no change")] == ["no change 0.5000"]
    assert axes.get_ylabel() == "accuracy (share of rows)"
    assert [text.get_text() for text in axes.texts[-2:]] == [
        "accuracy by trainings: 5 policies and the best schedules",
        "1,200 rows, 1970-01-02 06:00 to 1970-02-21 05:00 UTC · higher is better",
    ]


@pytest.mark.parametrize(("metric", "better"), [("accuracy", 1), ("log_loss", -1)])
def test_lines_of_equal_cost(metric: str, better: int) -> None:
    """Through the best schedule, and above or below all else; what trains more must be better by its price."""
    content = made_up_content(metric=metric, prices=[PRICE])
    axes = drawn(content)
    best = next(one for one in content["best"] if "price" in one)
    x, y = line_of(axes, "costs as the best schedule").get_data()
    assert np.interp(best["trainings"], x, y) == pytest.approx(best["mean"], abs=1e-4)
    assert (y[-1] - y[0]) * better == pytest.approx((x[-1] - x[0]) * 2.0 / 1_200)
    for one in content["frontier"]:
        assert better * (np.interp(one["trainings"], x, y) - one["mean"]) >= -1e-4
    assert not named(drawn(made_up_content(prices=[Price(0.0, 1.0, written=None)])), "costs as")


@pytest.mark.parametrize("policies", [5, 30])
def test_names_cover_neither_each_other_nor_points(policies: int) -> None:
    """However many; all of them stand within the axes, and each is there."""
    content = made_up_content(policies=policies)
    axes = drawn(content)
    names = [text for text in axes.texts if text.get_text().startswith(("policy", "first model", "each model"))]
    found = [one for text in names for one in text.get_text().split(", ")]
    assert {one["name"] for one in content["policies"]} <= {*found}
    boxes = [Text.get_window_extent(text) for text in names]  # without the lines that lead to them
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    frame = axes.get_window_extent()
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 for box in boxes)
    spots = axes.transData.transform([(one["trainings"], one["mean"]) for one in content["policies"]])
    assert not any(box.contains(*spot) for box in boxes for spot in spots)


def test_names_of_levels_cover_no_point() -> None:
    """As where the first model is as good as a guess is."""
    content = made_up_content()
    never = content["baselines"]["never"]
    content["baselines"]["no_change"]["mean"] = never["mean"]
    content["baselines"]["majority"] = content["baselines"]["no_change"]
    axes = drawn(content)
    boxes = [text.get_window_extent() for text in (*named(axes, "no change"), *named(axes, "majority"))]
    spot = axes.transData.transform((never["trainings"], never["mean"]))
    assert not any(box.expanded(1, 1).padded(4).contains(*spot) for box in boxes)
    assert len(boxes) == 2
    assert not boxes[0].overlaps(boxes[1])


def test_what_is_too_far_away_is_told() -> None:
    """It would press all others together."""
    axes = drawn(made_up_content(no_change=-9.0))
    assert axes.get_ylim()[0] > 0
    assert "Too far away to be shown: no change (-9)." in axes.texts[-1].get_text()


def test_many_trainings_have_a_logarithmic_axis() -> None:
    """With plain numbers; few have a linear one."""
    assert drawn(made_up_content()).get_xscale() == "log"
    tuned = drawn(made_up_content(tuned_until=899))
    assert tuned.get_xscale() == "linear"
    assert tuned.get_xlim()[0] < 0
    assert drawn(made_up_content(tuned_until=99)).get_xscale() == "symlog"


@pytest.mark.parametrize("name", ["a.svg", "a.png"])
def test_the_same_back_test_has_the_same_bytes(tmp_path: Path, name: str) -> None:
    """In another process, too; an SVG's text is text."""
    content = made_up_content(prices=[PRICE])
    content["policies"][0]["name"] = "<b> & $c$"
    plot(content, tmp_path / name)
    code = "from pathlib import Path; from supervisor.backtest.report.plot import plot\n"
    code += f"plot({content!r}, Path('b-{name}'))\n"
    told = {**environment(), "PYTHONHASHSEED": "7"}
    (tmp_path / "run.py").write_text(code)
    subprocess.run([sys.executable, "run.py"], cwd=tmp_path, env=told, capture_output=True, check=True)
    assert (tmp_path / f"b-{name}").read_bytes() == (tmp_path / name).read_bytes()
    if name.endswith("svg"):
        told_text = "\n".join(ElementTree.parse(tmp_path / name).getroot().itertext())
        assert "<b> & $c$" in told_text

"""The picture of a comparison, as matplotlib's own objects have it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from compared_runs import compared, evenly, window
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from supervisor.compare.picture.figure import figure_of
from supervisor.compare.picture.settings import settings


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    with settings():
        yield


def drawn(content: dict[str, Any]) -> Axes:
    """The axes of the figure, after all was laid out."""
    figure: Figure = figure_of(content)
    FigureCanvasAgg(figure).draw()
    return figure.axes[0]


def pieces(line: Line2D) -> list[list[tuple[float, float]]]:
    """The stretches of a line between its gaps: (minute, score)."""
    found: list[list[tuple[float, float]]] = [[]]
    origin = 15706.0
    for day, score in zip(*line.get_data(), strict=True):
        if math.isnan(score):
            found.append([])
        else:
            found[-1].append((round((float(day) - origin) * 1440, 3), float(score)))
    return found


def legend(axes: Axes) -> list[str]:
    """Its lines, with an ordinary space behind the score."""
    shown = axes.get_legend()
    assert shown is not None
    return [text.get_text().replace("\N{EN SPACE}", " ") for text in shown.get_texts()]


def texts(axes: Axes) -> list[str]:
    """Title and other words beside the axes."""
    return [text.get_text() for text in axes.texts]


def test_a_run_is_a_line_with_a_level_for_each_window() -> None:
    """It steps where the next window begins, and ends with its last row."""
    (line,) = drawn(compared({"a": evenly([0.5, 0.75])})).lines
    assert pieces(line) == [[(0, 0.5), (10, 0.5), (10, 0.75), (19, 0.75)]]


def test_windows_are_marked_where_they_begin() -> None:
    """These are the run's triggers."""
    (line,) = drawn(compared({"a": evenly([0.5, None, 0.75, 0.5])})).lines
    marked = np.asarray(line.get_xdata())[line.get_markevery()]
    assert [round((day - 15706) * 1440) for day in marked] == [0, 20, 30]


@pytest.mark.parametrize(
    "missing",
    [window(1, 10, 11, None), window(1, None, None, 0.6, rows=3), window(1, 10, 11, math.inf)],
    ids=["no score", "no time", "no number"],
)
def test_a_window_that_cannot_be_drawn_is_a_gap(missing: dict[str, Any]) -> None:
    """The line does not lead over it, be it ever so short."""
    (line,) = drawn(compared({"a": [window(0, 0, 9, 0.5), missing, window(2, 12, 29, 0.75)]})).lines
    assert pieces(line) == [[(0, 0.5), (9, 0.5)], [(12, 0.75), (29, 0.75)]]


def test_a_time_without_common_rows_is_a_gap() -> None:
    """Where it is longer than rows are apart; else the level reaches to the next one."""
    sparse = [window(0, 0, 9, 0.5), window(1, 13, 29, 0.6), window(2, 80, 99, 0.7)]
    (line,) = drawn(compared({"a": sparse})).lines
    assert pieces(line) == [[(0, 0.5), (13, 0.5), (13, 0.6), (29, 0.6)], [(80, 0.7), (99, 0.7)]]


def test_narrow_windows_are_drawn_together() -> None:
    """A thousand are a hundred levels, which have the mean of all rows, and fewer marks; a note says so."""
    scores = [0.5 + 0.4 * (at % 2) for at in range(1000)]
    axes = drawn(compared({"many": evenly(scores), "few": evenly([0.5] * 10, rows=1000)}))
    many, few = axes.lines
    begins = np.flatnonzero(np.diff(np.asarray(many.get_xdata())) > 0)
    assert 90 <= len(begins) <= 112
    assert np.asarray(many.get_ydata())[begins].mean() == pytest.approx(0.7, abs=0.005)
    assert len(many.get_markevery()) <= 50
    assert len(few.get_markevery()) == 10
    assert any("drawn together" in text for text in texts(axes))
    assert not any("drawn together" in text for text in texts(drawn(compared({"few": evenly([0.5] * 10)}))))


def test_the_mean_of_windows_drawn_together_is_weighted_by_rows() -> None:
    """As the composite is."""
    first = [window(0, 0, 0, 0.25, rows=1), window(1, 1, 3, 0.75, rows=3)]
    (line,) = drawn(compared({"a": [*first, window(2, 4, 1000, 0.5)]})).lines
    assert pieces(line)[0][0] == (0, 0.625)


def test_what_the_picture_says() -> None:
    """What is shown, of which rows, which way is better, in which units; the best first with its composite."""
    axes = drawn(compared({"low": evenly([0.5, 0.5]), "high": evenly([0.7, 0.8])}))
    assert texts(axes)[:2] == [
        "accuracy of 2 runs, window by window",
        "20 rows that all runs scored, 2013-01-01 00:00 to 2013-01-01 00:19 UTC · higher is better",
    ]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("event time (UTC)", "accuracy (share of rows)")
    assert legend(axes) == ["0.7500 high", "0.5000 low"]
    assert axes.get_legend().get_title().get_text() == "accuracy over all rows, best first"  # type: ignore[union-attr]


def test_names_are_never_mathematics() -> None:
    """Nor is a metric's."""
    name, metric = r"$\frac{x_1}{", r"my_$metric^2"
    axes = drawn(compared({name: evenly([0.5]), "_b": evenly([0.25])}, metric=metric))
    assert legend(axes) == [f"0.5000 {name}", "0.2500 _b"]
    assert axes.get_ylabel() == metric
    assert not any(text.get_parse_math() for text in axes.findobj(Text) if isinstance(text, Text))


@pytest.mark.parametrize("runs", [2, 7])
def test_few_runs_have_a_colour_and_a_mark_each(runs: int) -> None:
    """Who sees no colours has the marks."""
    lines = drawn(compared({f"run {at}": evenly([0.5 + at / 100] * 3) for at in range(runs)})).lines
    for look in (Line2D.get_color, Line2D.get_marker):
        assert len({look(line) for line in lines}) == runs


def test_runs_with_the_same_scores_are_all_seen() -> None:
    """The lower ones are wider; a run that only begins like another is not."""
    same = evenly([0.5, 0.75])
    lines = drawn(compared({"a": same, "b": same, "c": evenly([0.5, 0.25])})).lines
    upper, lower, other = (line.get_linewidth() for line in lines)
    assert lower >= upper + 1
    assert other == upper
    assert lines[1].get_zorder() < lines[0].get_zorder()


def test_of_many_the_best_and_the_worst_stand_out() -> None:
    """All others are grey, below them; a run without a score is not the worst, and has no line."""
    runs = {f"run {at}": evenly([0.5 + at / 100] * 3) for at in range(20)}
    axes = drawn(compared(runs | {"failed": []}))
    looks = [str(line.get_color()) for line in axes.lines]
    grey = looks[5]
    assert [look == grey for look in looks] == [False] * 5 + [True] * 13 + [False] * 2 + [True]
    above = [line.get_zorder() for line in axes.lines]
    assert min(above[:5] + above[18:20]) > max(above[5:18])
    assert len(legend(axes)) == 21
    assert legend(axes)[-1] == "\N{FIGURE SPACE}" * 5 + "– failed"


def test_of_very_many_not_all_are_listed() -> None:
    """But all are drawn, and the worst are listed that have a score."""
    runs = {f"run {at}": evenly([0.5 + at / 1000] * 3) for at in range(60)}
    axes = drawn(compared(runs | {"failed": []}))
    listed = legend(axes)
    assert (len(axes.lines), len(listed)) == (61, 40)
    assert listed[-3:] == ["… 22 more", "0.5010 run 1", "0.5000 run 0"]


def test_the_legend_stands_beside_the_lines() -> None:
    """It covers none of them, however long the names."""
    axes = drawn(compared({"x" * 300: evenly([0.5, 0.75]), "b": evenly([0.25])}))
    shown = axes.get_legend()
    assert shown is not None
    assert shown.get_window_extent().x0 > axes.get_window_extent().x1


@pytest.mark.parametrize(
    ("scores", "kind", "lowest", "highest"),
    [
        ([0.3, 0.4, 14.0], "log", 0.2, 20),
        ([0.0, 0.3, 0.4, 14.0], "log", 0.2, 20),
        ([0.02, 0.02, 0.9], "linear", -0.1, 1),
        ([0.3, 0.4, 3.0], "linear", 0, 4),
        ([0.8, 0.9, -400.0], "symlog", -1000, 2),
    ],
)
def test_a_few_far_scores_do_not_press_the_others_together(
    scores: list[float], kind: str, lowest: float, highest: float
) -> None:
    """A logarithmic axis holds both, with plain numbers; the axis says that it is one."""
    axes = drawn(compared({"a": evenly(scores)}, greater_is_better=False))
    assert axes.get_yscale() == kind
    assert ("logarithmic" in axes.get_ylabel()) == (kind != "linear")
    bottom, top = axes.get_ylim()
    assert lowest <= bottom < top <= highest
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert all(re.fullmatch(r"−?[\d.]+", label) for label in labels), labels


def test_one_window_of_one_row_is_a_mark() -> None:
    """On an axis of a minute to either side."""
    axes = drawn(compared({"a": [window(0, 5, 5, 0.5)]}))
    assert pieces(axes.lines[0]) == [[(5, 0.5), (5, 0.5)]]
    assert np.ptp(axes.get_xlim()) * 1440 == pytest.approx(2)
    assert texts(axes)[1].startswith("1 row, 2013-01-01 00:05")


@pytest.mark.parametrize("windows", [[], [window(0, None, None, None)], [window(0, None, None, 0.5, rows=2)]])
def test_nothing_to_draw_is_said(windows: list[dict[str, Any]]) -> None:
    """Instead of empty axes."""
    axes = drawn(compared({"a": windows}))
    assert "no window has a score of accuracy and rows with a time" in texts(axes)
    assert len(axes.get_xticks()) == len(axes.get_yticks()) == 0


@pytest.mark.parametrize("minutes", [(-530_000_000, 0), (0, 4_200_000_000)], ids=["from 1005", "to 9998"])
def test_any_year_can_be_drawn(minutes: tuple[int, int]) -> None:
    """matplotlib's years are 1 to 9999, margins and all."""
    axes = drawn(compared({"a": [window(0, *minutes, 0.5)]}))
    assert len(pieces(axes.lines[0])[0]) == 2

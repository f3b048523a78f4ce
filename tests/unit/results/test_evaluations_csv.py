"""evaluations.csv is the same text for the same scores, in whatever order they came."""

from __future__ import annotations

import csv
import io
from random import Random

import msgspec

from shared.config.pipeline import Estimate, Evaluation, Every, UntilNextTrigger, Window
from shared.messages.reports import MetricValue
from shared.timestamps import parse_timestamp_us
from supervisor.results.evaluations import evaluations_csv

EVALUATION = Evaluation(
    device="auto",
    metrics=(),
    newest=None,
    on=(
        Window(name="next", extent=UntilNextTrigger(), split=None),
        Window(name="months", extent=Every(duration_s=1.0), split="test"),
    ),
)
HEADER = "trigger,window,slice,split,metric,value,n,first_timestamp,last_timestamp,error,unlabelled\n"


def score(trigger=0, window="next", slice_="", metric="accuracy", value=0.1, error=None, times=(None, None)):
    """A score on three rows."""
    return MetricValue(
        trigger_id=trigger,
        window=window,
        slice=slice_,
        metric=metric,
        value=value,
        n=3,
        first_timestamp_us=times[0],
        last_timestamp_us=times[1],
        error=error,
    )


def test_no_scores_leave_the_header():
    """The columns stand there from the first moment."""
    assert evaluations_csv([], EVALUATION) == HEADER


def test_line_is_exactly_what_the_design_says():
    """Floats as repr, times of fixed width, the window's split, empty where there is nothing."""
    times = (parse_timestamp_us("2013-01-01T00:00:00Z"), parse_timestamp_us("2013-02-01T05:00:00.5Z"))
    text = evaluations_csv([score(value=1 / 3, times=times), score(1, "months", "2013", value=None)], EVALUATION)
    assert text == (
        HEADER
        + "0,next,,,accuracy,0.3333333333333333,3,2013-01-01T00:00:00.000000Z,2013-02-01T05:00:00.500000Z,,0\n"
        + "1,months,2013,test,accuracy,,3,,,,0\n"
    )


def test_estimates_have_a_column_where_scores_are_estimated():
    """The last one, empty where there is none."""
    estimate = Estimate(method="cbpe", metrics=("accuracy",), calibrate_on="test", rows=1)
    evaluation = msgspec.structs.replace(EVALUATION, estimate=estimate)
    scores = [score(), msgspec.structs.replace(score(1), estimated=1 / 3)]
    header, first, second = evaluations_csv(scores, evaluation).splitlines()
    assert header == f"{HEADER.strip()},estimated"
    assert first == "0,next,,,accuracy,0.1,3,,,,0,"
    assert second == "1,next,,,accuracy,0.1,3,,,,0,0.3333333333333333"


def test_order_is_by_trigger_as_a_number_then_by_columns():
    """Trigger 10 comes after 9; then window, slice and metric as text."""
    wanted = [
        score(9, "months", "2013", "accuracy"),
        score(9, "months", "2013", "auroc"),
        score(9, "months", "2014", "accuracy"),
        score(9, "next"),
        score(10, "months"),
    ]
    mixed = Random(0).sample(wanted, len(wanted))
    assert evaluations_csv(mixed, EVALUATION) == evaluations_csv(wanted, EVALUATION)
    rows = list(csv.DictReader(io.StringIO(evaluations_csv(mixed, EVALUATION))))
    assert [(int(r["trigger"]), r["window"], r["slice"], r["metric"]) for r in rows] == [
        (s.trigger_id, s.window, s.slice, s.metric) for s in wanted
    ]


def test_error_comes_back_as_it_was():
    """Commas, quotes and line ends in an error do not break the table."""
    error = 'label 7, "seven",\nis outside'
    (row,) = csv.DictReader(io.StringIO(evaluations_csv([score(value=None, error=error)], EVALUATION), newline=""))
    assert (row["value"], row["error"]) == ("", error)

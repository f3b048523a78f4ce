"""data_drift looks where it should, at the rows it should, and fires on what its rules make of the answers.

What was found broken in its predecessor, and the test that would catch it here:

- idle polling ingested the same samples again and again: `test_a_look_is_asked_once`;
- windows by amount put duplicates into the reference: `test_window_and_reference_share_no_row`;
- its 5 % threshold fired on 12 % of noise: test_decide.py, for rules; `test_noise_fires_as_seldom_as_it_says` in
  tests/unit/detection/test_drift.py, for detector and rule together;
- detection worked with one of five metrics: `test_every_statistic_finds_a_shift` there;
- time windows failed on an empty batch, and cost samples × triggers: a batch has one row at least, and
  `test_a_search_goes_on_where_the_last_one_ended`.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from streams import rows

from shared.config.resolved import as_written
from shared.config.schema.pipeline import PipelineSchema
from supervisor.triggers.data_drift import DataDrift
from supervisor.triggers.policy import Training
from tests.unit.triggers.driven import DAY_US, Driven, made

SECONDS = np.arange(4_000) * 1_000_000
DAYS = np.arange(40) * DAY_US // 4  # four rows a day
THRESHOLD = {"policy": "threshold", "threshold": 0.5}


def saying(*values, model=None, **named):
    """Answers with these values of mmd, one after the other, the last one for ever; and p-values that say the same."""
    given_out = iter(values)
    left = {"value": values[-1]}

    def answer(question):
        left["value"] = value = next(given_out, left["value"])
        found = {"statistic": value, "p_value": None if value is None else 1 - value, **named}
        ranges = {name: [question.options[name][one] for one in ("first_key", "last_key")] for name in RANGES}
        rows = [last - first + 1 for first, last in ranges.values()]
        names = [one["name"] for one in question.options["statistics"]]
        return {"statistics": dict.fromkeys(names, found), "rows": rows, "model": model, **ranges}

    return answer


RANGES = ("reference", "current")


def drift(answer=None, *, start=None, state=None, **options):
    """A driven policy; without an answer, nothing ever drifts."""
    options = {"statistics": [{"name": "mmd", "decide": THRESHOLD}], **options}
    return Driven(made(DataDrift, options, **(start or {})), answers=answer or saying(0.0), state=state)


def asked(run, name):
    """First and last key of that range, of each question."""
    return [(one.options[name]["first_key"], one.options[name]["last_key"]) for one in run.questions]


def test_it_looks_every_so_many_rows_and_fires_first_without_a_reference():
    """Counted from the first followed row; the first whole window has nothing to be compared with."""
    run = drift(every=100, window={"rows": 200}, start={"first_key": 1_000}).over(SECONDS[:1_000], first_key=1_000)
    assert run.triggers == [(1_199, "there is no reference yet: no trigger came before")]
    assert [one.key for one in run.questions] == [1_399, 1_499, 1_599, 1_699, 1_799, 1_899, 1_999]
    assert asked(run, "current")[:2] == [(1_200, 1_399), (1_300, 1_499)]  # they overlap
    assert set(asked(run, "reference")) == {(1_000, 1_199)}  # as much as the window


def test_it_looks_every_so_much_event_time():
    """At the first row that reaches each day; once after a gap, whose empty days are not looked at."""
    times = np.concatenate([DAYS[:20], DAYS[:20] + 8 * DAY_US])
    run = drift(every="1d", window={"rows": 4}).over(times)
    assert run.keys == [4]
    assert [one.key for one in run.questions] == [8, 12, 16, 20, 24, 28, 32, 36]


def test_a_window_of_event_time_is_whole_behind_the_last_trigger():
    """Two days of rows that all came later; the detector is told from where on to search."""
    run = drift(every=1, window={"last": "2d"}, reference={"last": "1d"}).over(DAYS)
    assert run.keys == [8]
    first = run.questions[0]
    assert (first.key, first.timestamp_us) == (16, 4 * DAY_US)
    assert first.options["current"] == {
        "first_key": 9, "last_key": 16, "last_us": 2 * DAY_US, "event_time_us": 4 * DAY_US, "so_far_us": 2 * DAY_US,
    }  # fmt: skip
    assert first.options["reference"] == {
        "first_key": 0, "last_key": 8, "last_us": DAY_US, "event_time_us": 2 * DAY_US, "so_far_us": None,
    }  # fmt: skip


def test_a_search_goes_on_where_the_last_one_ended():
    """So that all of them together read each timestamp a few times, however many looks and triggers there are."""

    def found(question):
        answer = saying(1.0 if question.key in (20, 30) else 0.0)(question)
        ends = {name: question.options[name]["last_key"] for name in RANGES}
        return {**answer, "current": [ends["current"] - 7, ends["current"]], "reference": [ends["reference"] - 3, 8]}

    run = drift(found, every=1, window={"last": "2d"}, reference={"last": "1d"}).over(DAYS)
    assert run.keys == [8, 20, 30]
    searched = [one.options["current"] for one in run.questions]
    assert [one["first_key"] for one in searched[:4]] == [9, 9, 10, 11]
    assert [one["so_far_us"] for one in searched[1:3]] == [2 * DAY_US, 2 * DAY_US + DAY_US // 4]
    reference = [one.options["reference"] for one in run.questions]
    assert reference[1] == {"first_key": 5, "last_key": 8}  # it was found
    (second,) = [one for one in reference if one["last_key"] == 20]
    assert (second["first_key"], second["so_far_us"]) == (5, DAY_US)


def test_a_trigger_restarts_reference_and_window():
    """The reference ends at it, and no look counts before a whole window of new rows is there."""
    run = drift(saying(0.0, 0.6, 0.0), every=100, window={"rows": 200}, reference={"rows": 350}).over(SECONDS[:1_200])
    assert run.keys == [199, 499]
    assert run.triggers[1][1] == "mmd 0.6 ≥ 0.5 on 200 vs 200 rows"
    assert asked(run, "reference") == [(0, 199), (0, 199), *[(150, 499)] * 6]
    assert [one.key for one in run.questions] == [399, 499, 699, 799, 899, 999, 1_099, 1_199]


def test_the_reference_may_be_all_that_the_last_trigger_brought():
    """since_trigger: the rows from the trigger before it on, of the first trigger from the first followed row on."""
    run = drift(saying(0.0, 0.6, 0.0), every=100, window={"rows": 100}, reference="since_trigger").over(SECONDS[:700])
    assert run.keys == [99, 299]
    assert asked(run, "reference") == [(0, 99), (0, 99), *[(100, 299)] * 4]


def test_rows_that_were_trained_on_at_the_start_are_a_reference():
    """`train_on_everything`: trigger 0 took them, whether it is told of or not."""
    start = {"first_key": 1_000, "event_time_us": 0, "trained_key": 999}
    for told in (False, True):
        run = drift(window={"rows": 100}, reference="since_trigger", start=start)
        if told:
            run.fire(999, 0)
        run.over(SECONDS[:300], first_key=1_000)
        assert asked(run, "reference") == [(0, 999)] * 3
        assert asked(run, "current")[0] == (1_000, 1_099)
    run = drift(window={"rows": 100}, reference={"last": "1d"}, start=start).over(SECONDS[:100], first_key=1_000)
    assert run.questions[0].options["reference"]["event_time_us"] is None  # only the rows know


def test_window_and_reference_share_no_row():
    """Nor does a reference hold a row twice, whatever the lengths: they are ranges, one behind the other."""
    for every, window, reference in ((50, 200, 300), (200, 50, 10), (70, 70, 900)):
        answers = saying(*[0.0, 0.0, 0.9] * 40)
        run = drift(answers, every=every, window={"rows": window}, reference={"rows": reference}).over(SECONDS)
        assert len(run.keys) > 5
        for (first, last), (begin, end) in zip(asked(run, "reference"), asked(run, "current"), strict=True):
            assert first <= last < begin <= end
            assert (last - first + 1 <= reference, end - begin + 1) == (True, window)


def test_a_decision_that_is_kept_is_no_trigger():
    """A guard may refuse it: the reference stays, and the next look asks again."""
    run = drift(saying(0.9), every=100, window={"rows": 100})
    run.fires = lambda decision: decision.key not in (99, 299)
    run.over(SECONDS[:400])
    assert run.keys == [199, 399]
    assert [one.key for one in run.questions] == [299, 399]
    assert set(asked(run, "reference")) == {(100, 199)}


def test_a_trigger_of_others_restarts_the_reference():
    """By hand, or by another policy of an ensemble, at whichever row."""
    run = drift(every=100, window={"rows": 100}).over(SECONDS[:150])
    run.fire(149, 149_000_000)
    run.over(SECONDS[150:400], first_key=150, before_us=149_000_000)
    assert asked(run, "reference") == [(50, 149), (50, 149)]
    assert [one.key for one in run.questions] == [299, 399]


@pytest.mark.parametrize("space", ["input", "embedding"])
def test_an_answer_that_a_trigger_overtook_counts_for_nothing(space):
    """It compares with another reference, which must not be kept, neither by rules nor as the rows to search in."""
    decide = {"policy": "rolling_average", "deviation": 0.1, "window": 1}
    statistics = [{"name": "mmd", "decide": decide}]
    reference = {"last": "50s"}
    run = drift(saying(0.1), space=space, window={"rows": 100}, reference=reference, statistics=statistics)
    run.over(SECONDS[:199])
    looked = run.policy.observe(rows(np.asarray(SECONDS)).part(199, 200), run.state)
    run.played.state = looked.state
    run.fire(199, 199_000_000)
    overtaken = run.state
    told = run.policy.answer(looked.question, saying(0.9, model=0)(looked.question), run.state)
    assert (told.decision, told.state) == (None, overtaken)
    assert [one.reason for one in told.near_misses] == ["trigger 1 came before the answer"]


def test_near_misses_say_why_not():
    """In words and numbers, as triggers do; what is undefined says why it is."""
    run = drift(saying(0.123456), window={"rows": 2_000}, reference={"rows": 1_000}, every=1_000).over(SECONDS)
    assert [(one.key, one.reason) for one in run.misses] == [(3_999, "mmd 0.123 < 0.5 on 2,000 vs 1,000 rows")]
    run = drift(saying(None, why="too few rows"), window={"rows": 1_000}).over(SECONDS[:2_000])
    assert [one.reason for one in run.misses] == ["mmd is undefined (too few rows) on 1,000 vs 1,000 rows"]


def test_several_statistics_are_combined():
    """Each by its own rule, and so many must fire."""
    both = [{"name": "mmd", "decide": THRESHOLD}, {"name": "psi", "decide": THRESHOLD | {"threshold": 0.9}}]
    for combine, keys in (("any", [99, 199]), ({"at_least": 2}, [99])):
        run = drift(saying(0.6, 0.0), window={"rows": 100}, statistics=both, combine=combine).over(SECONDS[:300])
        assert run.keys == keys
    assert run.misses[0].reason.startswith("1 of 2 fired, 2 needed: mmd 0.6 ≥ 0.5; psi 0.6 < 0.9 on 100")


def test_rules_forget_at_a_trigger_what_was_measured_against_another_reference():
    """A quantile of four values fires at the earliest behind four of the same reference; a cool-down lasts."""
    decide = {"policy": "quantile", "q": 0.2, "window": 4}
    values = [0.1, 0.2, 0.3, 0.4, 0.9, 0.95, 0.96, 0.97, 0.98, 0.99]
    run = drift(saying(*values), window={"rows": 100}, statistics=[{"name": "mmd", "decide": decide}])
    run.over(SECONDS[:1_100])
    assert run.keys == [99, 599, 1_099]
    run = drift(saying(0.9), window={"rows": 100}, statistics=[{"name": "mmd", "decide": THRESHOLD | {"cool_down": 2}}])
    assert run.over(SECONDS[:800]).keys == [99, 199, 499, 799]


def test_rules_forget_what_another_models_embedding_has_shown():
    """In production a look may come before the newest trigger's model is there; its values are not compared."""
    decide = {"policy": "rolling_average", "deviation": 0.1, "window": 1}
    options = {"space": "embedding", "window": {"rows": 100}, "statistics": [{"name": "mmd", "decide": decide}]}
    models = iter([3, 3, 4, 4, 4])
    answers = saying(0.1, 0.1, 0.9, 0.9, 0.9)
    run = drift(lambda question: {**answers(question), "model": next(models)}, **options).over(SECONDS[:600])
    assert run.keys == [99]
    assert all(one.needs_model for one in run.questions)
    assert "after 0 of the 1 values" in run.misses[2].reason


def test_without_a_model_it_fires_once_the_last_trigger_is_over():
    """Not while a training is under way: the next look would fire again, and the one behind it."""
    run = drift(lambda question: {"model": None}, space="embedding", window={"rows": 100})
    assert run.policy.hears_trainings
    run.over(SECONDS[:300])
    assert run.keys == [99]
    assert [one.reason for one in run.misses] == ["there is no model whose embedding could be compared yet"] * 2
    run.keep(run.policy.trained(Training(trigger=0, samples=0, train_s=None), run.state))
    run.over(SECONDS[300:500], first_key=300, before_us=299_000_000)
    assert run.triggers[1:] == [(399, "there is no model whose embedding could be compared")]


def test_a_look_is_asked_once():
    """Whether rows come in one batch or one by one, and however often nothing comes."""
    for batch_rows in (1, 4_000):
        run = drift(every=100, window={"rows": 300}).over(SECONDS, batch_rows)
        keys = [one.key for one in run.questions]
        assert keys == sorted(set(keys))
        assert len(keys) == 35


lengths = st.one_of(st.integers(1, 30).map(lambda n: {"rows": n}), st.integers(1, 60).map(lambda n: {"last": f"{n}h"}))


@settings(deadline=None)
@given(
    gaps=st.lists(st.integers(0, 30), min_size=1, max_size=120),
    every=st.one_of(st.integers(1, 20), st.integers(1, 40).map("{}h".format)),
    window=lengths,
    reference=st.one_of(lengths, st.just("since_trigger")),
    cut=st.integers(1, 40),
)
def test_any_batching_and_any_resume_gives_the_same(gaps, every, window, reference, cut):
    """Questions, triggers and near misses: they depend on the rows alone, and on a state that JSON holds."""
    times = np.cumsum(gaps) * (DAY_US // 24)
    values = [0.2, 0.4, 0.7, 0.1, 0.6]

    def run(batch_rows):
        def answer(question):
            return saying(values[question.key % 5])(question)

        driven = drift(answer, every=every, window=window, reference=reference, start={"event_time_us": int(times[0])})
        return driven.over(times, batch_rows)

    whole, parts = run(1_000), run(cut)
    assert (whole.questions, whole.triggers, whole.misses) == (parts.questions, parts.triggers, parts.misses)
    assert whole.state == parts.state


def test_its_state_stays_small():
    """It is journaled with each look: its size does not depend on rows, looks or triggers."""
    decide = {"policy": "quantile", "q": 0.25, "window": 3}
    run = drift(saying(*[0.1, 0.9] * 20), window={"rows": 20}, statistics=[{"name": "mmd", "decide": decide}])
    sizes = [len(json.dumps(run.over(SECONDS[:200], first_key=first).state)) for first in range(0, 20_000, 200)]
    assert max(sizes) < 400


def test_it_says_how_far_it_is():
    """To the next look, by what looks are counted."""
    run = drift(every=100, window={"rows": 300}).over(SECONDS[:150])
    assert run.policy.waits_for(150, 149_000_000, run.state) == "50 of 100 rows to the next look"
    run = drift(every="1d")
    told = run.policy.waits_for(5, DAY_US + 1, run.state)
    assert told == "the next look when event time reaches 1970-01-03T00:00:00.000000Z"


def loaded(**options):
    """What the schema makes of these options."""
    return DataDrift.Schema().load(options)


def test_defaults():
    """As often as the window is long, against as much before; by the p-value of mmd."""
    options = loaded(window={"last": "7d"})
    assert options["every"] == options["reference"] == {"rows": None, "duration_s": 604_800.0}
    (statistic,) = loaded()["statistics"]
    assert (statistic["name"], statistic["permutations"]) == ("mmd", 100)
    assert (statistic["decide"]["policy"], statistic["decide"]["alpha"]) == ("p_value", 0.05)


def test_what_a_run_directory_keeps_means_the_same():
    """Every option resolved, as pipeline.yaml has them there; `168h` is a week."""
    field = PipelineSchema().fields["trigger"]
    meanwhile = {"values": 5, "decide": {"policy": "threshold", "threshold": 0.2}}
    entries = [
        {"name": "mmd", "bandwidth": 2.0, "decide": {"policy": "quantile", "warm_up": meanwhile}},
        {"name": "ks", "features": "max", "decide": {"policy": "threshold", "threshold": 0.2, "release": 0.1}},
        {"name": "kswin", "alpha": 0.01},
    ]
    for options in (
        {},
        {"every": "168h", "window": {"last": "7d"}, "reference": "since_trigger", "combine": {"at_least": 2}},
        {"ignore": ["temp"]},
        {"every": 20, "reference": {"last": "1h"}, "space": "embedding", "pca": 2},
    ):
        given = {"policy": "data_drift", "statistics": entries, **options}
        loaded = field.deserialize(given)
        written = as_written(field, loaded)
        assert field.deserialize(written) == loaded
        assert written["every"] == {"168h": "7d", 20: 20}.get(options.get("every"), 500)
        assert all(written[key] == options[key] for key in options if key != "every")


@pytest.mark.parametrize(
    ("options", "path", "sentence"),
    [
        ({"every": 0}, ["every"], "whole number of at least 1"),
        ({"every": 1.5}, ["every"], "neither a number of rows, such as 5000, nor a duration"),
        ({"window": {"rows": 5, "last": "1d"}}, ["window", "rows"], "one of rows and last"),
        ({"window": {}}, ["window", "rows"], "one of rows and last"),
        ({"reference": "since_triger"}, ["reference"], "since_trigger"),
        ({"reference": {"last": "d"}}, ["reference", "last"], "duration"),
        ({"space": "inputs"}, ["space"], "did you mean input"),
        ({"combine": {"at_least": 2}}, ["combine"], "at least 2, but there is 1; set it to 1."),
        ({"space": "embedding", "ignore": ["a"]}, ["ignore"], "an embedding has no columns"),
        ({"combine": "both"}, ["combine"], "any | all | majority"),
        ({"statistics": [{"name": "mmd"}] * 2}, ["statistics", 1, "name"], "stands here twice"),
        ({"statistics": [{"name": "mmx"}]}, ["statistics", 0, "name"], "did you mean mmd"),
        ({"statistics": [{"name": "psi"}]}, ["statistics", 0, "decide"], "psi has no p-value, so decide by threshold"),
        (
            {"statistics": [{"name": "energy", "decide": {"policy": "p_value"}}]},
            ["statistics", 0, "decide"],
            "energy has no p-value; decide by threshold",
        ),
        (
            {"statistics": [{"name": "ks", "features": "max", "decide": {"policy": "p_value"}}]},
            ["statistics", 0, "decide"],
            "only bonferroni",
        ),
        (
            {"statistics": [{"name": "mmd", "permutations": 0, "decide": {"policy": "p_value"}}]},
            ["statistics", 0, "decide"],
            "none without permutations",
        ),
        (
            {"statistics": [{"name": "psi", "features": "bonferroni", "decide": THRESHOLD}]},
            ["statistics", 0, "features"],
            "bonferroni is of p-values",
        ),
        ({"statistics": [{"name": "ks", "bandwidth": 2}]}, ["statistics", 0, "bandwidth"], "goes with name mmd"),
        (
            {"statistics": [{"name": "mmd", "decide": {"policy": "quantile", "q": 0.05, "window": 10}}]},
            ["statistics", 0, "decide", "window"],
            "too short for q 0.05",
        ),
        ({"window": 500}, ["window"], "500 is not a group of keys; write {rows: 500}."),
        ({"statistics": ["mmd"]}, ["statistics", 0], "'mmd' is not a group of keys; write {name: mmd}."),
        ({"statistics": [{"name": "kswin", "newest": 50}]}, ["statistics", 0, "newest"], "less than half of values"),
    ],
)
def test_what_cannot_be_is_refused_at_its_key(options, path, sentence):
    """When the file is loaded, with the remedy."""
    with pytest.raises(ValidationError) as told:
        loaded(**options)
    found = told.value.messages
    for key in path:
        found = found[key]
    assert sentence in str(found)

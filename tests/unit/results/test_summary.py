"""summary.json says what a run came to, and the closing table shows it."""

from __future__ import annotations

import io
import json
import re

import msgspec
import pytest
from rich.console import Console

from shared.clock_changes import ClockChanges
from shared.config.pipeline import Target
from shared.messages.reports import FeatureNotes, UnknownCategories
from shared.timestamps import parse_timestamp_us
from supervisor.core.notices import RowsNotAsExpected
from supervisor.core.seen import Misdated, Unread, Violated
from supervisor.core.trigger_state import Phase
from supervisor.results.closing_table import closing_table
from supervisor.results.summary import summary
from tests.unit.results.finished_run import RUN, ToldRun, value

TARGETS = (Target(name="deployed", kind="directory", uri="/served", options={}),)
ABOUT = {"wall_s": 12.34, "faults": {"republished": 1, "workers_lost": 0, "reconnects": 0}}


@pytest.fixture
def told(small):
    """Two triggers: model 0 deployed, 1 failed."""
    run = ToldRun(small)
    run.trigger(0, deployed=0)
    run.selected(0, 8)
    run.trained(0, 1.5)
    run.decided(0, True, "accuracy 0.9000 on recent ≥ 0.5")
    run.scored(0, value(0, "accuracy", 0.9), value(0, "auroc", None))
    run.baselined(
        0,
        majority=[value(0, "accuracy", 0.5), value(0, "auroc", 0.5)],
        no_change=[value(0, "accuracy", 0.4), value(0, "auroc", 0.5)],
    )
    run.lease_expired(0)
    run.trigger(1, deployed=0, phase=Phase.FAILED)
    run.selected(1, 9)
    run.failed(1, "the loss is NaN [nan]")
    return run


def shown(content, width=100):
    """What the closing table prints where nobody looks, as in a pipe."""
    text = io.StringIO()
    Console(file=text, width=width).print(closing_table(content))
    return text.getvalue()


def test_all_that_the_design_names_is_there(told):
    """Every key of the design, and the text is JSON without NaN."""
    content = summary(told.state, told.tally, TARGETS, ABOUT)
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert {name: content[name] for name in ("status", "mode", "triggers", "deployed", "wall_s")} == {
        "status": "finished",
        "mode": "experiment",
        "triggers": 2,
        "deployed": 0,
        "wall_s": 12.34,
    }
    assert content["task"] == "classification"
    held = {"decision": 1, "run": RUN, "trigger": 0, "reason": "accuracy 0.9000 on recent ≥ 0.5"}
    assert content["targets"] == [{"name": "deployed", "uri": "/served", **held}]
    assert (content["samples_seen"], content["samples_trained"]) == (20, 17)
    assert content["composite"] == content["deployed_composite"] == {"accuracy": 0.9, "auroc": None}
    assert content["baselines"] == {
        "majority": {"accuracy": 0.5, "auroc": None},
        "no_change": {"accuracy": 0.4, "auroc": None},
        "first_model": {"accuracy": 0.9, "auroc": None},
    }
    ends = {"first_timestamp": "1970-01-01T00:00:00.000000Z", "last_timestamp": "1970-01-01T00:00:00.000001Z"}
    assert content["composite_rows"] == {"rows": 10, **ends}
    assert content["undefined_windows"] == {"accuracy": 0, "auroc": 1}
    assert set(content["faults"]) == {"republished", "workers_lost", "reconnects"}
    assert told.tally.republished == 1


def test_each_trigger_is_listed_with_what_became_of_it(told):
    """Rows since the previous trigger, samples, seconds of selecting and training, and whether it was deployed."""
    first, second = summary(told.state, told.tally, TARGETS, ABOUT)["trigger_list"]
    assert first == {
        "id": 0,
        "key": 9,
        "labelled_key": 9,
        "timestamp": "1970-01-01T00:00:00.000000Z",
        "reason": "10 rows",
        "samples_seen": 10,
        "samples_selected": 8,
        "selected_by": None,
        "select_s": 0.5,
        "train_s": 1.5,
        "nulls": {},
        "unknown_categories": {},
        "deployed": True,
        "decision": "accuracy 0.9000 on recent ≥ 0.5",
        "error": None,
    }
    assert (second["train_s"], second["deployed"], second["error"]) == (None, False, "the loss is NaN [nan]")


def test_seconds_of_selecting_are_told_beside_those_of_training(told):
    """Summed; under the table where a selection takes more than a tenth of a second."""
    content = summary(told.state, told.tally, TARGETS, ABOUT)
    assert (content["train_s"], content["select_s"]) == (1.5, 1.0)
    assert "trained 1.5 s, selected 1.0 s" in shown(content)
    assert "selected" not in shown(content | {"select_s": 0.2}).partition("composite")[2]


def test_nulls_and_unknown_categories_are_listed_and_summed(small):
    """By trigger and in all: features that were filled in, rows without a label, and categories nobody learned."""
    run = ToldRun(small)
    assert "nulls" not in shown(summary(run.state, run.tally, TARGETS, ABOUT))
    unknown = {"origin": UnknownCategories(rows=4, commonest={"SFO": 3, "OAK": 1})}
    for index, features in enumerate(
        [FeatureNotes(rows=8, imputed={"x": 2, "y": 1}), FeatureNotes(rows=9, imputed={"x": 1}, unknown=unknown)]
    ):
        run.trigger(index)
        run.selected(index, 8, label=index + 1)
        run.trained(index, 1.0, features)
        run.scored(index, value(index, "accuracy", 0.5), value(index, "auroc", None))
        run.baselined(
            index, dropped=2 - index, **dict.fromkeys(("majority", "no_change"), [value(index, "auroc", 0.5)])
        )
    content = summary(run.state, run.tally, TARGETS, ABOUT)
    assert json.loads(json.dumps(content)) == content
    first, second = content["trigger_list"]
    assert (first["nulls"], first["unknown_categories"]) == ({"label": 1, "x": 2, "y": 1}, {})
    assert second["nulls"] == {"label": 2, "x": 1}
    assert second["unknown_categories"] == {"origin": {"rows": 4, "commonest": {"SFO": 3, "OAK": 1}}}
    assert content["nulls"] == {"label": 4, "x": 3, "y": 1}  # with the one behind the last trigger
    assert content["unknown_categories"] == {"origin": 4}
    assert "nulls met: label 4, x 3, y 1" in shown(content)
    assert "rows with unknown categories: origin 4" in shown(content)


def test_failed_triggers_are_listed_with_their_reasons(told):
    """A run that went on after a failure does not hide it."""
    content = summary(told.state, told.tally, TARGETS, ABOUT)
    assert content["failed_triggers"] == [{"id": 1, "reason": "the loss is NaN [nan]"}]
    assert "trigger 1 failed: the loss is NaN [nan]" in shown(content)


def test_coalesced_triggers_are_not_counted(told):
    """Their rows went into the next."""
    told.trigger(2, phase=Phase.COALESCED)
    content = summary(told.state, told.tally, TARGETS, ABOUT)
    assert (content["triggers"], [one["id"] for one in content["trigger_list"]]) == (2, [0, 1])


def test_closing_table_puts_the_composite_beside_the_baselines(told):
    """Plain text in 100 columns: five rows of numbers, what is deployed, and what to know beside it."""
    text = shown(summary(told.state, told.tally, TARGETS, ABOUT))
    assert max(map(len, text.splitlines())) <= 100
    assert "\x1b" not in text
    rows = {
        line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:4]]
        for line in text.splitlines()
        if line.startswith("│")
    }
    assert rows == {
        "this pipeline": ["0.9000", "–"],
        "what was deployed": ["0.9000", "–"],
        "first model kept": ["0.9000", "–"],
        "majority so far": ["0.5000", "–"],
        "no change": ["0.4000", "–"],
    }
    for remark in ("deployed: model 0", "windows left out as undefined: auroc 1", "faults survived: republished 1"):
        assert remark in text


def test_of_numbers_the_majority_is_a_mean(small):
    """People read of a mean, also where it lacks rows; the keys of summary.json are the same for all labels."""
    small.pipeline["model"]["config"] = {"num_classes": 1}
    small.pipeline["training"]["loss"] = {"name": "MSELoss"}
    small.pipeline["evaluation"]["metrics"] = ["mse"]
    del small.pipeline["deployment"]
    run = ToldRun(small)
    run.trigger(0)
    run.scored(0, value(0, "mse", 0.5, 20))
    run.baselined(0, majority=[value(0, "mse", 4.0)], no_change=[value(0, "mse", 2.0, 20)])
    content = summary(run.state, run.tally, (), ABOUT)
    assert (content["task"], content["baselines"]["majority"]) == ("regression", {"mse": 4.0})
    text = shown(content)
    assert "│ mean so far" in text
    assert "rows left out of mean so far, which has no score of them: mse 10" in " ".join(text.split())
    assert "majority" not in text


def test_a_composite_says_of_which_rows_it_is(small):
    """Of two numbers side by side one sees whether they may be compared; a window that has no score does not count."""
    run = ToldRun(small)
    assert "composite of no rows" in shown(summary(run.state, run.tally, TARGETS, ABOUT))
    hour_us = 3_600_000_000
    for index, defined in enumerate((True, True, False)):
        run.trigger(index)
        score = value(index, "accuracy", 0.5 if defined else None, n=1_000)
        ends = {"first_timestamp_us": index * hour_us, "last_timestamp_us": (index + 1) * hour_us}
        run.scored(index, msgspec.structs.replace(score, **ends), value(index, "auroc", None))
    content = summary(run.state, run.tally, TARGETS, ABOUT)
    assert content["composite_rows"] == {
        "rows": 2_000,
        "first_timestamp": "1970-01-01T00:00:00.000000Z",
        "last_timestamp": "1970-01-01T02:00:00.000000Z",
    }
    heading = " ".join(re.findall(r"^┃ (\S.*?) +┃", shown(content), re.MULTILINE))
    assert heading == "composite of 2,000 rows, 1970-01-01 00:00 to 1970-01-01 02:00"


def test_a_run_that_deploys_nowhere_has_no_line_of_what_was_deployed(told):
    """It would be a line of dashes."""
    text = shown(summary(told.state, told.tally, (), ABOUT))
    assert "what was deployed" not in text
    assert "first model kept" in text


def test_f1_is_said_to_be_macro(told):
    """Its label in files is short; who reads the table sees over what it is averaged."""
    content = summary(told.state, told.tally, TARGETS, ABOUT)
    for part in (content["deployed_composite"], *content["baselines"].values(), content["composite"]):
        part["f1"] = part.pop("accuracy")
    assert "f1 (macro)" in shown(content)


def test_closing_table_shortens_many_triggers(told):
    """Of a thousand triggers the first and the last are shown."""
    content = summary(told.state, told.tally, TARGETS, ABOUT)
    one = content["trigger_list"][0]
    text = shown({**content, "trigger_list": [{**one, "id": number} for number in range(1000)]})
    assert "992 more" in text
    assert "  999   " in text
    assert len(text.splitlines()) < 40


def test_run_without_triggers_has_no_trigger_table(small):
    """Nothing fired: the composite has no number, and nothing is deployed."""
    run = ToldRun(small)
    text = shown(summary(run.state, run.tally, TARGETS, ABOUT))
    assert "selected" not in text
    assert "–" not in text.split("the trigger policy never fired")[0]
    assert "deployed: nothing" in text


def test_rows_dated_too_late_are_counted(told):
    """How many, and the first of them; the span of event time beside them."""
    far_us = parse_timestamp_us("2191-04-01")
    content = summary(told.state, told.tally, TARGETS, ABOUT)
    assert content["misdated"] == {"rows": 0, "key": None, "file": None, "timestamp": None}
    assert "dated too late" not in shown(content)
    misdated = Misdated(rows=3, key=700, file="a.parquet", timestamp_us=far_us, latest_us=0)
    state = told.state.with_stream(misdated=misdated, began_us=0, event_time_us=parse_timestamp_us("1970-01-02"))
    content = summary(state, told.tally, TARGETS, ABOUT)
    far = {"key": 700, "file": "a.parquet", "timestamp": "2191-04-01T00:00:00.000000Z"}
    assert content["misdated"] == {"rows": 3, **far}
    span = ("1970-01-01T00:00:00.000000Z", "1970-01-02T00:00:00.000000Z")
    assert (content["first_timestamp"], content["last_timestamp"]) == span
    assert "rows dated too late to advance event time: 3, the first 2191-04-01" in " ".join(shown(content, 200).split())


def test_rows_that_are_not_as_expected_are_listed(told):
    """All of them; under the table those that were trained on all the same."""
    assert summary(told.state, told.tally, TARGETS, ABOUT)["violations"] == []
    for number, action in enumerate(("hold", "alert", "alert")):
        violated = Violated(first_key=10 * number, last_key=10 * number + 9, on_violation=action, why=f"why {number}")
        told.tally.hear(RowsNotAsExpected(violated=violated))
    content = summary(told.state, told.tally, TARGETS, ABOUT)
    assert content["violations"][1] == {"first_key": 10, "last_key": 19, "on_violation": "alert", "why": "why 1"}
    assert [one["on_violation"] for one in content["violations"]] == ["hold", "alert", "alert"]
    said = " ".join(shown(content, 200).split())
    assert "rows not as expected, and trained on: 20, the first at key 10: why 1" in said
    assert "set aside" not in said


def test_changes_of_the_clocks_are_counted(told):
    """Those that occur twice, and those that never do."""
    assert summary(told.state, told.tally, TARGETS, ABOUT)["clock_changes"] == {"twice": 0, "never": 0}
    state = told.state.with_stream(clock_changes=ClockChanges(twice=1200, key=7, file="a.csv"))
    content = summary(state, told.tally, TARGETS, ABOUT)
    assert content["clock_changes"] == {"twice": 1200, "never": 0}
    said = " ".join(shown(content, 200).split())
    assert "local times that occur twice or never: 1,200 twice" in said
    assert "twice or never" not in shown(summary(told.state, told.tally, TARGETS, ABOUT))


def test_files_that_are_not_read_at_the_end_are_named(told):
    """Each with its reason, and under the table how many."""
    content = summary(told.state, told.tally, TARGETS, ABOUT)
    assert (content["not_read"], content["files_not_read"]) == ({}, 0)
    unread = Unread(unreadable={"b.csv": "b.csv is bad"}, unfit={"c.csv": "c.csv lacks x"}, more=2)
    content = summary(told.state.but(unread=unread), told.tally, TARGETS, ABOUT)
    assert content["not_read"] == {"b.csv": "b.csv is bad", "c.csv": "c.csv lacks x"}
    assert content["files_not_read"] == 4
    assert "files not read: 4, the first b.csv" in " ".join(shown(content, 200).split())


def test_looks_of_the_policy_are_counted(told):
    """What it asked and what came of it, also under the table; of a policy that only counts rows there is no line."""
    content = summary(told.state, told.tally, TARGETS, ABOUT)
    assert content["looks"] == {"questions": 0, "near_misses": 0}
    assert "trigger policy:" not in shown(content)
    content = summary(told.state.with_stream(questions=1200, near_misses=886), told.tally, TARGETS, ABOUT)
    assert content["looks"] == {"questions": 1200, "near_misses": 886}
    said = " ".join(shown(content, 200).split())
    assert "trigger policy: 1,200 questions, 886 near misses" in said


def test_a_run_without_triggers_says_so(small):
    """Under the table, with rows and span."""
    told = ToldRun(small)
    state = told.state.with_stream(observed_key=299, began_us=0, event_time_us=0)
    content = summary(state, told.tally, TARGETS, ABOUT)
    text = " ".join(shown(content, 200).split())
    assert "the trigger policy never fired: 300 rows, 1970-01-01T00:00:00.000000Z to 1970-01-01T00:00:00" in text


def test_rows_left_out_are_told_once_where_all_metrics_have_the_same(told):
    """One line, however many metrics there are."""
    start = "rows left out of what was deployed, as no model of this run was:"
    for left_out, said in (
        ({"accuracy": 679, "auroc": 679}, "679"),
        ({"accuracy": 7, "auroc": 5}, "accuracy 7, auroc 5"),
    ):
        content = summary(told.state, told.tally, TARGETS, ABOUT) | {"deployed_left_out": left_out}
        text = " ".join(shown(content).split())
        assert text.count("rows left out") == 1
        assert f"{start} {said} deployed" in text


def test_a_baseline_that_has_no_score_of_some_rows_is_told_with_them(told):
    """Two numbers side by side are of the same rows, or it is said of how many the second is not."""
    content = summary(told.state, told.tally, TARGETS, ABOUT)
    assert content["baselines_left_out"] == {}
    told.trigger(2, deployed=0)
    undefined = value(2, "auroc", None)
    told.scored(2, value(2, "accuracy", 0.9, 20), undefined, value(0, "accuracy", 0.8, 20))
    why = "The label at key 35 is -1, which is no class number."
    told.baselined(2, majority=[value(2, "accuracy", None, 0, error=why)], no_change=[value(2, "accuracy", 0.5, 20)])
    content = summary(told.state, told.tally, TARGETS, ABOUT)
    assert content["baselines_left_out"] == {"majority": {"accuracy": 20}}
    assert "rows left out of majority so far, which has no score of them: accuracy 20" in " ".join(
        shown(content).split()
    )


def test_a_price_says_what_the_run_has_cost(small):
    """Trainings that made a model, and errors on the rows that were scored; without a price there is no such line."""
    assert summary(ToldRun(small).state, ToldRun(small).tally, (), ABOUT)["cost"] is None
    small.pipeline["trigger"]["price"] = {"training": 20, "error": 0.5}
    run = ToldRun(small)
    for trigger, accuracy in ((0, 0.9), (1, None), (2, 0.4)):
        run.trigger(trigger)
        run.selected(trigger, 8)
        run.scored(trigger, value(trigger, "accuracy", accuracy, n=10), value(trigger, "auroc", None))
    run.trained(0, 1.5)
    run.trained(2, 1.5)
    content = summary(run.state, run.tally, (), ABOUT)
    price = {"training": 20.0, "error": 0.5, "metric": "accuracy"}
    assert content["cost"] == {"price": price, "trainings": 2, "errors": 7.0, "rows": 20, "total": 43.5}
    assert shown(content).splitlines()[-1] == "cost: 43.5, of 2 trainings at 20 and 7 errors (accuracy) at 0.5"

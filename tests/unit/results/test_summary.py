"""summary.json says what a run came to, and the closing table shows it."""

from __future__ import annotations

import io
import json

import msgspec
import pytest
from rich.console import Console

from shared.config.load import load_configuration
from shared.config.pipeline import Named, Target
from supervisor.core.trigger_state import Phase
from supervisor.results.no_trigger import why_no_trigger
from supervisor.results.summary import closing_table, summary
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
    held = {"decision": 1, "run": RUN, "trigger": 0, "reason": "accuracy 0.9000 on recent ≥ 0.5"}
    assert content["targets"] == [{"name": "deployed", "uri": "/served", **held}]
    assert (content["samples_seen"], content["samples_trained"]) == (20, 17)
    assert content["composite"] == content["deployed_composite"] == {"accuracy": 0.9, "auroc": None}
    assert content["baselines"] == {
        "majority": {"accuracy": 0.5, "auroc": None},
        "no_change": {"accuracy": 0.4, "auroc": None},
        "first_model": {"accuracy": 0.9, "auroc": None},
    }
    assert content["undefined_windows"] == {"accuracy": 0, "auroc": 1}
    assert set(content["faults"]) == {"republished", "workers_lost", "reconnects"}
    assert told.tally.republished == 1


def test_each_trigger_is_listed_with_what_became_of_it(told):
    """Rows since the previous trigger, samples, seconds, and whether it was deployed."""
    first, second = summary(told.state, told.tally, TARGETS, ABOUT)["trigger_list"]
    assert first == {
        "id": 0,
        "key": 9,
        "timestamp": "1970-01-01T00:00:00.000000Z",
        "reason": "10 rows",
        "samples_seen": 10,
        "samples_selected": 8,
        "train_s": 1.5,
        "deployed": True,
        "decision": "accuracy 0.9000 on recent ≥ 0.5",
        "error": None,
    }
    assert (second["train_s"], second["deployed"], second["error"]) == (None, False, "the loss is NaN [nan]")


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
    assert "deployed: nothing" in text


@pytest.mark.parametrize(
    ("trigger", "asked"),
    [
        (Named(name="data_amount", options={"every": 5000}), "{policy: data_amount, every: 5000}"),
        (Named(name="time", options={"every_s": 864_000.0, "anchor_us": None}), "{policy: time, every: 10d}"),
    ],
)
def test_a_run_that_ends_without_a_trigger_says_why(small, trigger, asked):
    """What was asked for, and what the stream had; a run with triggers, or one that goes on, says nothing."""
    run = ToldRun(small)
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    pipeline = msgspec.structs.replace(load_configuration(*files, experiment_mode=True).pipeline, trigger=trigger)
    state = run.state.with_stream(observed_key=299, event_time_us=86_400_000_000)
    why = why_no_trigger(state, pipeline)
    assert why is not None
    assert f"no trigger fired, so nothing was trained: trigger {asked} saw 300 rows" in why
    assert "event time ends at 1970-01-02T00:00:00" in why
    assert "lower `every`" in why
    assert " ".join(why.split()[:3]) in shown(summary(state, run.tally, (), {**ABOUT, "no_trigger": why}), 300)
    assert why_no_trigger(state.but(status=None), pipeline) is None
    run.trigger(0)
    assert why_no_trigger(run.state, pipeline) is None

"""Made-up runs side by side, of which no window is cut; and what cannot be compared."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise

import pytest
from rich.console import Console

from shared.errors import ConfigurationError, NotReadyError
from supervisor.compare.comparison import compare
from supervisor.compare.comparison_csv import runs_csv, windows_csv
from supervisor.compare.comparison_table import comparison_table
from supervisor.run.directory import RunDirectory


def told(*runs, sort=None):
    """What a comparison comes to, and what is said meanwhile."""
    said = []
    return compare(runs, sort=sort, progress=said.append), said


def refused(*runs, sort=None, by=NotReadyError):
    """The sentences with which it is refused."""
    with pytest.raises(by) as error:
        compare(runs, sort=sort, progress=lambda _: None)
    return "\n".join(error.value.problems)


def shown(content, width):
    """The table on a terminal of this width."""
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(comparison_table(content))
    return console.file.getvalue()


def test_whole_windows_keep_their_scores(make_up):
    """The composites are those of the run itself; nobody scores anything anew."""
    content, said = told(make_up("a"), make_up("b", 99, 499))
    assert (content["rows"], content["evaluated_anew"]["windows"], said) == (900, 0, [])
    runs = {run["name"]: run for run in content["runs"]}
    assert [one["n"] for one in runs["b"]["windows"]] == [400, 500]
    for run in content["runs"]:
        for metric in ("accuracy", "log_loss"):
            mean = sum(one["n"] * one[metric] for one in run["windows"]) / 900
            assert run["composite"][metric] == pytest.approx(mean, rel=1e-12)
    facts = ("status", "rows_scored", "triggers", "samples_trained")
    assert [runs["a"][fact] for fact in facts] == ["finished", 900, 3, 600]


@pytest.mark.parametrize(("sort", "sign"), [(None, -1), ("accuracy", -1), ("log_loss", 1)])
def test_the_best_comes_first(make_up, sort, sign):
    """In the direction of the metric, the first one if none is named."""
    content, _ = told(*(make_up(name) for name in "abcd"), sort=sort)
    by = sort or "accuracy"
    assert (content["sorted_by"], content["greater_is_better"]) == (by, sign < 0)
    assert all(sign * (one["composite"][by] - two["composite"][by]) <= 0 for one, two in pairwise(content["runs"]))


def test_a_metric_that_not_all_have_is_left_out_and_said(make_up):
    """One of the same name with other options is another one, too."""
    runs = make_up("a", metrics=["accuracy", "f1", "log_loss"]), make_up("b", metrics=["log_loss", "accuracy"])
    content, said = told(*runs)
    assert (content["metrics"], said) == (["accuracy", "log_loss"], [f"f1 is left out: {runs[1]} did not measure it"])
    assert "--sort f1: is no metric that all runs have" in refused(*runs, sort="f1", by=ConfigurationError)
    assert "have no metric in common" in refused(runs[0], make_up("c", metrics=["auroc"]))


def test_reading_a_run_changes_nothing_and_half_a_line_did_not_happen(make_up):
    """It may be going on: whoever writes is about to write the rest."""
    runs = make_up("a"), make_up("b")
    journal = runs[0] / "journal.jsonl"
    with journal.open("ab") as lines:
        lines.write(b'{"event":"ended","time_us":')
    before = {path: path.read_bytes() for run in runs for path in run.rglob("*") if path.is_file()}
    told(*runs)
    assert before == {path: path.read_bytes() for run in runs for path in run.rglob("*") if path.is_file()}


def test_a_run_that_goes_on_is_compared_as_far_as_it_has_come(make_up):
    """And one that was killed; the table says so."""
    whole, killed = make_up("a", 99, 199, 299, 399), make_up("b", 99, 199, 299, 399, events=30)
    content, _ = told(whole, killed)
    rows = 100 * len(content["runs"][0]["windows"])
    assert 0 < content["rows"] == rows < 900
    assert "b is killed, or lost its supervisor: compared as far as it has come" in shown(content, 200)
    directory = RunDirectory(killed)
    directory.lock.take()
    content, _ = told(whole, killed)
    assert {run["name"]: run["status"] for run in content["runs"]} == {"a": "finished", "b": "running"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"content": "1" * 64}, "the file that begins at key 0 is rows.parquet with 1,000 rows in one and"),
        ({"dataset": {"label": "y"}}, "the label is label in one and y in the other"),
        ({"dataset": {"labels": {"uri": "l/*.csv", "key": ["id"]}}}, "stand in a table of their own"),
    ],
)
def test_another_dataset_is_refused(make_up, changes, sentence):
    """Whatever it is called."""
    one, other = make_up("a"), make_up("b", **changes)
    found = refused(one, other)
    assert found.startswith(f"{one} and {other} are not of one dataset")
    assert sentence in found


def test_where_a_dataset_lies_may_differ(make_up):
    """A run that was copied, or another artifacts folder, has the same rows."""
    assert told(make_up("a"), make_up("b", config={"artifacts": {"uri": "elsewhere"}}))[0]["rows"] == 900


def test_triggers_that_failed_are_told(make_up):
    """A run that went on without them looks as if it had wanted fewer models."""
    content, _ = told(make_up("a"), make_up("b", fails=[1]))
    assert {run["name"]: run["failed_triggers"] for run in content["runs"]} == {"a": 0, "b": 1}
    assert "b failed at 1 of its 3 triggers" in shown(content, 200)
    assert "a failed" not in shown(content, 200)


def test_runs_that_scored_no_row_in_common_are_refused(make_up):
    """With the stretch of each."""
    one, other = make_up("a", 99, 199, 299, events=30), make_up("b", 599)
    found = refused(one, other)
    assert "there is no row that all these runs have scored." in found
    assert f"{one} scored rows 100 to" in found
    assert f"{other} scored rows 600 to 999" in found


def test_a_run_that_has_scored_nothing_is_refused_or_left_out(make_up):
    """Refused where it was named; where it lies among others in a folder, they are compared without it."""
    make_up("a")
    nothing = make_up("b", events=5)
    assert (
        refused(nothing.parent / "a", nothing) == f"{nothing} (killed) has scored nothing yet, and cannot be compared."
    )
    content, said = told(nothing.parent)
    assert [run["name"] for run in content["runs"]] == ["a"]
    assert said == [f"{nothing} (killed) is left out: it has scored nothing"]


@pytest.mark.parametrize("file", ["journal.jsonl", "pipeline.yaml", "config.yaml"])
def test_a_run_that_cannot_be_read_is_named(make_up, file):
    """With what is wrong with it."""
    run, whole = make_up("a"), make_up("b")
    (run / file).write_text("{nonsense\n")
    assert refused(whole, run).startswith(f"{run} cannot be read: ")


@pytest.mark.parametrize("config", [{}, {"retention": {"models": {"newest": 1}}}])
def test_a_model_that_a_cut_window_needs_must_be_there(make_up, config):
    """Nothing is evaluated before it is known; the sentence names run and model, and what to do."""
    cut, other = make_up("a", 99, 199, 299, config=config), make_up("b", 149)
    (cut / "models/0/model.safetensors").unlink(missing_ok=True)
    found = refused(cut, other)
    assert f"model 0 of {cut} is needed, to score a part of the rows of a window" in found


def test_a_table_of_many_runs_with_long_names_fits_a_terminal(make_up):
    """No line is wider, and no number is cut."""
    sweep = [make_up(f"trigger.every={n},strategy.name=new_data,training.epochs={n}") for n in range(20)]
    content, _ = told(sweep[0].parent)
    for width in (60, 80, 100, 120):
        lines = shown(content, width).splitlines()
        assert max(map(len, lines)) <= width
        for run in content["runs"]:
            for score in (run["composite"]["log_loss"], run["baselines"]["no_change"]["accuracy"]):
                assert any(f"{score:.4f}" in line for line in lines)
        assert not any("…" in line for line in lines)


def test_seconds_of_selecting_have_a_column_where_they_count(make_up):
    """In 80 columns beside all else, for all runs as soon as one takes longer than a tenth of a second a trigger."""
    content, _ = told(make_up("a"), make_up("b"))
    assert "select-" not in shown(content, 80)
    content["runs"][0]["select_s"] = 109.0
    lines = shown(content, 80).splitlines()
    (titles,) = (line for line in lines if "select-" in line)
    assert titles.rstrip().endswith("train-  select-")
    assert sum(line.rstrip().endswith(" s") for line in lines) == 2
    assert any(line.rstrip().endswith(" 109.0 s") for line in lines)


def test_settings_of_a_run_stand_below_each_other(make_up):
    """Each in one line, whatever commas its value has."""
    content, _ = told(make_up("strategy={name: a, config: {tail: 1}},training.seed=1"), make_up("cron=0 %2A,zone=UTC"))
    lines = [line.partition("  ")[0].strip() for line in shown(content, 200).splitlines()]
    place = lines.index("strategy={name: a, config: {tail: 1}},")
    assert lines[place + 1] == "training.seed=1"
    assert "cron=0 *," in lines, "as it was typed, not as its folder has to be called"


def test_csv_has_a_line_a_run_or_a_window(make_up):
    """What json has, in columns; floats as Python writes them."""
    content, _ = told(make_up("a"), make_up("b", 99, 499))
    best = content["runs"][0]
    best["select_s"] = 109.5
    first, *_ = lines = list(csv.DictReader(io.StringIO(runs_csv(content))))
    assert list(first.items())[-1] == ("select_s", "109.5"), "behind all that was there before"
    assert [line["name"] for line in lines] == [run["name"] for run in content["runs"]]
    assert (float(first["log_loss"]), first["rows"]) == (best["composite"]["log_loss"], "900")
    assert float(first["no_change_accuracy"]) == best["baselines"]["no_change"]["accuracy"]
    lines = list(csv.DictReader(io.StringIO(windows_csv(content))))
    assert len(lines) == 5
    assert (lines[0]["run"], float(lines[0]["accuracy"])) == (best["run"], best["windows"][0]["accuracy"])
    json.dumps(content)

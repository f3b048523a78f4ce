"""Production: what exists, then what arrives, until somebody stops it."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from running import Running
from workplace import Workplace, table


@pytest.fixture
def following(on_fleet: Workplace) -> Workplace:
    """A workplace whose supervisor looks for new files ten times a second."""
    on_fleet.config["notification"] = {"every": "0.1s"}
    return on_fleet


def events(workplace: Workplace, kind: str) -> list[dict[str, Any]]:
    """Events of one kind in the journal."""
    lines = (workplace.run_dir / "journal.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == kind]


def test_ignore_follows_only_what_arrives(following: Workplace) -> None:
    """Rows that exist are neither observed nor selected; polls that find nothing leave no trace."""
    following.pipeline["initial_mode"] = "ignore"
    with Running.pipeline(following) as run:
        run.wait_for("is set up")
        following.add_file(2)
        run.wait_for("model 1 deployed")
        following.add_file(3)
        run.wait_for("model 3 deployed")
        assert run.end() == 0
    summary = following.summary()
    assert (summary["status"], summary["samples_seen"]) == ("stopped", 2000)
    assert [row["key"] for row in summary["trigger_list"]] == [2499, 2999, 3499, 3999]
    keys = pq.read_table(following.run_dir / "training_sets/0.parquet")["key"].to_pylist()
    assert keys[0] >= 2000
    assert [len(event["entries"]) for event in events(following, "discovered")] == [2, 1, 1]
    observed = [event["key"] for event in events(following, "observed")]
    assert observed == sorted(set(observed))


def test_an_empty_folder_is_waited_for_and_all_of_its_rows_are_followed(following: Workplace) -> None:
    """A run may begin before its data: it says that it waits, and what comes first is not what existed already."""
    following.pipeline["initial_mode"] = "ignore"
    for file in (following.folder / "data").iterdir():
        file.unlink()
    with Running.pipeline(following) as run:
        run.wait_for("dataset rows has no rows yet; waiting for the first ones in")
        following.add_file(0)
        run.wait_for("model 1 deployed")
        assert run.end() == 0
    assert [row["key"] for row in following.summary()["trigger_list"]] == [499, 999]


def test_a_wait_for_the_first_rows_can_be_ended(following: Workplace) -> None:
    """`runs` lists it, `stop` and Ctrl+C end it with exit 0, and there is no run."""
    for file in (following.folder / "data").iterdir():
        file.unlink()
    with Running.pipeline(following) as run:
        run.wait_for("has no rows yet; waiting")
        found: list[dict[str, Any]] = []
        while not found:
            found = json.loads(following.tell("runs", "config.yaml", "--json").stdout)
        assert [(one["run_dir"], one["status"]) for one in found] == [(str(following.run_dir), "waiting")]
        stopped = following.tell("stop", "run", "--wait")
        assert (stopped.returncode, "no run had begun" in stopped.stdout) == (0, True), stopped
        assert run.wait() == 0
    assert not following.run_dir.exists()
    assert json.loads(following.tell("runs", "config.yaml", "--json").stdout) == []


def test_train_on_everything_comes_first_and_then_what_arrives(following: Workplace) -> None:
    """Trigger 0 is over all that exists; triggers go on with the new rows; Ctrl+C and --resume lose none."""
    following.pipeline["initial_mode"] = "train_on_everything"
    with Running.pipeline(following) as run:
        run.wait_for("model 0 deployed")
        assert run.end() == 0
    following.add_file(2)
    with Running.pipeline(following, "--resume") as run:
        run.wait_for("model 2 deployed")
        assert run.end() == 0
    triggers = following.summary()["trigger_list"]
    assert [(row["key"], row["samples_seen"]) for row in triggers] == [(1999, 2000), (2499, 500), (2999, 500)]
    assert triggers[0]["reason"] == "train_on_everything: all 2000 rows that exist"


def test_a_bad_row_that_arrives_costs_its_trigger_and_no_other(following: Workplace) -> None:
    """Under `on_failure: continue` a label that no class has fails the training that meets it, and scores say why."""
    following.pipeline["initial_mode"] = "ignore"
    following.pipeline["training"]["on_failure"] = "continue"
    with Running.pipeline(following) as run:
        run.wait_for("is set up")
        bad = table(1000, 2000)
        labels = bad["label"].to_numpy().copy()
        labels[600] = 7
        hidden = following.folder / "data" / ".bad"
        pq.write_table(bad.set_column(3, "label", pa.array(labels)), hidden)
        hidden.rename(following.folder / "data" / "part-2.parquet")
        run.wait_for("trigger 1: train failed: The label at key 2600 is 7, but the model knows the classes 0 to 1.")
        following.add_file(3)
        run.wait_for("model 3 deployed")
        assert run.end() == 0
    summary = following.summary()
    assert (summary["status"], [one["id"] for one in summary["failed_triggers"]]) == ("stopped", [1])
    assert any("The label at key 2600 is 7" in line for line in following.evaluations())


def test_a_backlog_is_coalesced_when_asked_for(following: Workplace) -> None:
    """Triggers that come faster than trainings give their rows to the next; the composite covers every row."""
    following.pipeline["training"] |= {"backlog": "coalesce"}
    with Running.pipeline(following) as run:
        run.wait_for("model 3 deployed")
        following.add_file(2)
        run.wait_for("model 5 deployed")
        assert run.end() == 0
    triggers = following.summary()["trigger_list"]
    assert [(row["id"], row["key"], row["samples_seen"]) for row in triggers] == [(3, 1999, 2000), (5, 2999, 1000)]
    scored = {row.split(",")[0]: row for row in following.evaluations() if ",next," in row}
    assert scored["3"].split(",")[6] == "1000"


def test_stop_before_the_run_began_leaves_nothing(small: Workplace) -> None:
    """SIGTERM while workers are starting: exit 0, no run directory, no broker."""
    small.config["artifacts"] = {"uri": "runs"}
    with Running.pipeline(small, "--debug") as run:
        while not list((small.folder / "runs").glob(".broker.json")):
            assert run.process.poll() is None
        assert run.end(15) == 0
    assert "Stopped before the run began" in "".join(run.said)
    assert not small.run_dir.exists()
    assert not list((small.folder / "runs").glob(".broker.json"))


def test_a_run_that_waits_for_its_first_trigger_says_so(following: Workplace) -> None:
    """In its log; `runs` lists it though it lies elsewhere, and `stop --wait` returns when it has ended."""
    following.pipeline |= {"initial_mode": "ignore", "trigger": {"policy": "data_amount", "every": 1500}}
    with Running.pipeline(following) as run:
        run.wait_for("waiting for the first row from key 2000 on")
        following.add_file(2)
        run.wait_for("1,000 of 1,500 rows to the next trigger; newest event time 1970-05-05T23:00:00")
        (listed,) = json.loads(following.tell("runs", "config.yaml", "--json").stdout)
        assert (listed["run_dir"], listed["status"]) == (str(following.run_dir), "running")
        stopped = following.tell("stop", "run", "--wait")
        assert (stopped.returncode, run.wait()) == (0, 0), stopped.stderr
        assert stopped.stdout.endswith("The run stopped: stopped on request.\n")
    assert following.tell("stop", "run").stdout.startswith("No supervisor is working on")
    (listed,) = json.loads(following.tell("runs", "config.yaml", "--json").stdout)
    assert listed["status"] == "stopped"

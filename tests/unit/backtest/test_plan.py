"""What `plan` prints, for people and for programs, where no process is needed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workplace import Workplace, table

from shared.errors import ConfigurationError
from supervisor.cli.parser import parser
from supervisor.cli.plan import run


def planned(small: Workplace, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Standard output."""
    small.write()
    files = [str(small.folder / name) for name in ("pipeline.yaml", "config.yaml")]
    assert run(parser().parse_args(["plan", *files, *options])) == 0
    return capsys.readouterr().out


def as_json(small: Workplace, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """The same as an object."""
    content: dict[str, Any] = json.loads(planned(small, capsys, "--json", *options))
    return content


def test_a_line_a_trigger_and_what_they_cost(small, capsys):
    """Rows, epochs, and seconds if somebody says what a row takes."""
    table = planned(small, capsys)
    assert "data_amount: 4 triggers on 2,000 rows of rows, 1970-01-01 00:00 to 1970-03-25 07:00" in table
    assert "500 rows since key 1500" in table
    assert "--seconds-per-sample says how long that takes" in table
    small.pipeline["strategy"] = {"name": "all_data"}
    content = as_json(small, capsys, "--seconds-per-sample", "0.5", "--set", "trigger.every=800")
    assert [one["key"] for one in content["triggers"]] == [799, 1599]
    assert [one["samples_seen"] for one in content["triggers"]] == [800, 800]
    first, second = (one["selected_at_most"] for one in content["triggers"])
    assert 600 < first < 680
    assert content["selected_at_most"] == first + second
    assert content["trained_at_most"] == 2 * (first + second)
    assert content["train_s_at_most"] == (first + second) / 2
    assert (content["questions"], content["rows"], content["untold"]) == (0, 2000, None)


def test_nothing_is_left_behind(small, capsys):
    """No run, no key: whoever plans has changed nothing."""
    planned(small, capsys)
    assert not (small.folder / "runs").exists()


def test_only_a_run_can_tell(small, capsys):
    """Of a policy that asks a model, what comes before it; of one that measures, the same."""
    small.pipeline["trigger"] = {"policy": "data_amount", "every": 500}
    budget = {"gpu_hours": 1, "per": "30d", "measured": True}
    small.pipeline["trigger"]["budget"] = budget
    content = as_json(small, capsys)
    assert content["untold"]["key"] == 499
    assert "--seconds-per-sample says it beforehand" in content["untold"]["why"]
    assert len(content["triggers"]) == 1
    assert "1 trigger so far" in planned(small, capsys)
    assert "only a back-test or a run can tell what follows from key 499 (1970-01-21 19:00)" in planned(small, capsys)
    assert len(as_json(small, capsys, "--seconds-per-sample", "0.001")["triggers"]) == 4


def test_a_policy_that_hears_of_more_than_is_known(small, capsys):
    """It says that a run may fire otherwise; the policy's own seconds price the trainings."""
    small.pipeline["trigger"]["budget"] = {"gpu_hours": 1, "per": "30d", "seconds_per_sample": 2.0}
    assert "may fire otherwise" not in planned(small, capsys)
    small.pipeline["strategy"] = {"name": "uniform", "config": {"fraction": 0.5}}
    assert "of strategy uniform only the most is known: a run may fire otherwise" in planned(small, capsys)
    content = as_json(small, capsys)
    assert content["rough"]
    assert content["train_s_at_most"] == 2.0 * content["selected_at_most"]


def test_rows_without_a_label_are_not_selected(small, capsys):
    """Where a null label is left out it is not counted, also among groups; a trigger that has no other gets no model,
    so that what is asked of a policy's first model is not asked of it.
    """
    rows = table(1000).append_column("group", pa.array(np.arange(1000) // 7))
    label = pa.array(table(1000)["label"].to_numpy(), mask=(np.arange(1000) < 500) | (np.arange(1000) % 2 == 1))
    for number in range(2):
        pq.write_table(rows.set_column(3, "label", label), small.folder / "data" / f"part-{number}.parquet")
    small.config["storage"]["datasets"]["rows"]["nulls"] = {"labels": "drop"}
    selected = [one["selected_at_most"] for one in as_json(small, capsys)["triggers"]]
    assert selected[0] == selected[2] == 0
    assert 170 < selected[1] < 230
    small.pipeline["data"]["split"]["by"] = "group"
    selected = [one["selected_at_most"] for one in as_json(small, capsys)["triggers"]]
    assert selected[0] == selected[2] == 0
    assert 150 < selected[1] < 250
    price = {"training": 5, "error": 1}
    small.pipeline["trigger"] = {"policy": "cost_threshold", "every": 500, "price": price}
    content = as_json(small, capsys)
    assert [one["key"] for one in content["triggers"]] == [499, 999]
    assert "what the model of trigger 1 makes" in content["untold"]["why"]


def test_what_is_typed_wrong_is_refused(small, capsys):
    """With what it should be."""
    with pytest.raises(ConfigurationError, match="--seconds-per-sample 0 is no time"):
        planned(small, capsys, "--seconds-per-sample", "0")
    with pytest.raises(ConfigurationError, match="leave no row to replay"):
        planned(small, capsys, "--start-replay-at", "2030-01-01T00:00:00Z")
    small.pipeline["initial_mode"] = "ignore"
    with pytest.raises(ConfigurationError, match="write `initial_mode: replay`"):
        planned(small, capsys)

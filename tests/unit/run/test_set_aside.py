"""Rows that are not as expected, in a run of one process: nobody trains on them, until a person wants it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from one_process import OneProcess
from workplace import Workplace, table

from shared.ids import RunId
from supervisor.core.notices import RowsNotAsExpected, RowsReleased
from supervisor.run.listen.metrics.heard import Heard
from supervisor.run.listen.metrics.seen import Seen, families
from supervisor.run.listen.run_log import RunLog

EVERY = 250
BROKEN = range(750, 1250)  # two of eight triggers: the features are in another unit


def broken(small: Workplace, strategy: str = "new_data", **expect: Any) -> Workplace:
    """The workplace with such rows, and what its policy expects."""
    rows = pa.concat_tables([table(1000), table(1000, 1000)])
    unit = np.where(np.isin(np.arange(2000), BROKEN), 1000, 1)
    for place, name in ((1, "x0"), (2, "x1")):
        rows = rows.set_column(place, name, pa.array(rows[name].to_numpy() * unit))
    pq.write_table(rows.slice(0, 1000), small.folder / "data/part-0.parquet")
    pq.write_table(rows.slice(1000), small.folder / "data/part-1.parquet")
    small.pipeline["trigger"] = {"policy": "data_amount", "every": EVERY, "expect": expect or "usual"}
    small.pipeline["strategy"] = {"name": strategy}
    small.pipeline["data"]["split"] = {}
    small.pipeline["evaluation"]["on"] = []
    small.pipeline.pop("deployment", None)
    return small


def sets(run_dir: Path) -> dict[int, list[int]]:
    """Trigger → the keys that it was trained on."""
    folder = run_dir / "training_sets"
    return {int(one.stem): pq.read_table(one)["key"].to_pylist() for one in folder.glob("*.parquet")}


def ended(run: OneProcess) -> dict[str, Any]:
    """The summary of a run that has gone to its end."""
    run.begin()
    return run.to_its_end()


def counted(found: Iterable[Any], name: str) -> dict[str, float]:
    """Label → value of a metric."""
    samples = [sample for family in found if family.name == name for sample in family.samples]
    return {"".join(sample.labels.values()): sample.value for sample in samples}


def ranges(*pieces: tuple[int, int]) -> list[int]:
    """Keys from each first to each last."""
    return [key for first, last in pieces for key in range(first, last + 1)]


@pytest.mark.parametrize("action", ["hold", "skip"])
@pytest.mark.parametrize("strategy", ["new_data", "all_data", "remembering"])  # the last has room for all
def test_no_training_has_a_row_that_is_set_aside(small: Workplace, strategy: str, action: str) -> None:
    """Not that of its own trigger, nor of a later one; whoever is killed, the sets are the same."""
    run = OneProcess(broken(small, strategy, on_violation=action), random.Random(0))
    summary = ended(run)
    small.run_dir.rename(small.folder / "whole")
    killed = OneProcess(small, random.Random(1), risk=0.06)
    again = ended(killed)
    assert [again[key] for key in ("set_aside", "violations")] == [summary[key] for key in ("set_aside", "violations")]
    assert killed.kills
    assert sets(small.folder / "whole") == sets(small.run_dir)
    sound = [(0, 249), (250, 499), (500, 749), (1250, 1499), (1500, 1749), (1750, 1999)]
    expected = [ranges(*(sound[: n + 1] if strategy != "new_data" else sound[n : n + 1])) for n in range(6)]
    assert list(dict(sorted(sets(small.run_dir).items())).values()) == expected
    assert [(one["first_key"], one["last_key"]) for one in summary["set_aside"]] == [(750, 999), (1000, 1249)]
    assert {one["on_violation"] for one in summary["set_aside"]} == {action}
    assert "column `x0` is beyond" in summary["set_aside"][0]["why"]
    assert [one["samples_seen"] for one in summary["trigger_list"]] == [250, 250, 250, 750, 250, 250]


def test_alert_trains_on_them_and_tells(small: Workplace, caplog: pytest.LogCaptureFixture) -> None:
    """Everything else is as without."""
    run = OneProcess(broken(small, on_violation="alert"), random.Random(0))
    heard: list[Any] = []
    log = RunLog(RunId("run"))
    run.start()
    metrics = Heard(run.pipeline)

    def hear(told: Any, first: Any = run.recorder.hear) -> None:
        heard.append(told)
        for listen in (first, log.hear, metrics.hear):
            listen(told)

    run.recorder.hear = hear
    with caplog.at_level("INFO"):
        summary = run.to_its_end()
    assert [len(one) for one in sets(small.run_dir).values()] == [EVERY] * 8
    assert summary["set_aside"] == []
    assert [(one["first_key"], one["on_violation"]) for one in summary["violations"]] == [(750, "alert")]
    assert counted(metrics.families(), "modyn_violations") == {"hold": 0, "skip": 0, "alert": 1}
    told = [one.violated for one in heard if isinstance(one, RowsNotAsExpected)]
    assert [(one.first_key, one.last_key, one.on_violation) for one in told] == [(750, 999, "alert")]
    assert "! rows 750 to 999 are not as expected, and are trained on: column `x0` is beyond" in caplog.text


def test_a_trigger_by_hand_has_what_was_held(small: Workplace) -> None:
    """Each once, also where the strategy takes new rows alone; what comes behind it is usual then."""
    run = OneProcess(broken(small), random.Random(0))
    run.start()
    heard: list[Any] = []

    def hear(told: Any, first: Any = run.recorder.hear) -> None:
        heard.append(told)
        first(told)

    run.recorder.hear = hear
    while run.observer.position < 1000 or run.state.stream.question is not None:
        assert run.observe() or run.work()
    assert run.state.stream.left_out == ((750, 999),)
    assert counted(families(Seen(run.state, 2000)), "modyn_set_aside_rows") == {"": 250}
    run._happen(run.observer.fire("the unit is another from now on", "a-request"))
    summary = run.to_its_end()
    found = sets(small.run_dir)
    assert found[3] == ranges((750, 999))
    assert sorted(key for keys in found.values() for key in keys) == ranges((0, 1999))
    assert [one.rows for one in heard if isinstance(one, RowsReleased)] == [250]
    assert [one["released_by"] for one in summary["set_aside"]] == [3]
    by_hand = summary["trigger_list"][3]
    assert (by_hand["reason"], by_hand["samples_selected"]) == ("the unit is another from now on", 250)


@pytest.mark.parametrize("strategy", ["new_data", "remembering"])
def test_held_rows_come_with_the_new_ones(small: Workplace, strategy: str) -> None:
    """Also after a resume, and where a worker still looks at the new ones: what it says of them is too late.

    A memory has not observed them before, and does so then, once.
    """
    run = OneProcess(broken(small, strategy), random.Random(0))
    run.start()
    while run.observer.position < 1750:
        assert run.observe() or run.work()
    assert run.state.stream.question is not None
    run.resume()
    run._happen(run.observer.fire("they are right", "a-request"))
    summary = run.to_its_end()
    assert [one["key"] for one in summary["trigger_list"]] == [249, 499, 749, 1499, 1749, 1999]
    found = sets(small.run_dir)
    if strategy == "remembering":
        assert [found[3], found[4]] == [ranges((0, 749), (1250, 1499)), ranges((0, 1749))]
        return
    assert [len(keys) for _, keys in sorted(found.items())] == [250, 250, 250, 250, 750, 250]
    assert found[4] == ranges((750, 1249), (1500, 1749))


def test_rows_on_which_the_model_fails_are_held(small: Workplace) -> None:
    """Where a score is expected, it is that of the newest model, on the new rows and on those before."""
    broken(small, usual=[], score={"drop": 0.3})
    rows = pa.concat_tables([table(1000), table(1000, 1000)])
    label = rows["label"].to_numpy()
    label[750:1000] = 1 - label[750:1000]
    rows = rows.set_column(3, "label", pa.array(label))
    pq.write_table(rows.slice(0, 1000), small.folder / "data/part-0.parquet")
    pq.write_table(rows.slice(1000), small.folder / "data/part-1.parquet")
    small.pipeline["training"]["epochs"] = 20
    found, *_ = ended(OneProcess(small, random.Random(0)))["set_aside"]
    assert (found["first_key"], found["last_key"]) == (750, 999)
    assert found["why"].startswith("model 2 has accuracy 0.")
    assert found["why"].endswith("it may be worse by 0.3")


def test_the_journal_says_why(small: Workplace) -> None:
    """With the rows, in the line of the answer that it follows from."""
    run = OneProcess(broken(small), random.Random(0))
    ended(run)
    lines = [json.loads(line) for line in run.directory.journal_path.read_text().splitlines()]
    (first, _) = [line for line in lines if line["event"] == "observed" and line["violations"]]
    assert first["answered"]
    assert [(one["first_key"], one["on_violation"]) for one in first["violations"]] == [(750, "hold")]
    assert first["considered"][0]["reason"] == ("250 rows since key 750; held, as rows 750 to 999 are not as expected")

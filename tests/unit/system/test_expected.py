"""What `expect:` names is looked for in the dataset before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workplace import Workplace, table

from shared.config.load import load_configuration
from shared.dataset.growth import Rest
from shared.errors import ConfigurationError
from supervisor.system.tables import ready_tables
from supervisor.system.unread import Telling

COLUMNS = "no feature of dataset rows, nor its label"


def changed(name: str, values: pa.Array) -> pa.Table:
    """The rows with another column."""
    rows = table(200)
    return rows.set_column(rows.column_names.index(name), name, values)


WORDS = changed("label", pa.array(["no", "yes"] * 100))
TRUTHS = changed("label", pa.array([True, False] * 100))
NUMBERS = changed("label", pa.array([0.5, 1.5] * 100))
TEXTS = table(200).append_column("code", pa.array(["a", "b"] * 100))
NULLS = table(200).append_column("code", pa.nulls(200))


def judged(small: Workplace, expect: Any, *files: pa.Table, follows: bool = False) -> None:
    """Look at the dataset as a run does before it begins."""
    for path in (small.folder / "data").iterdir():
        path.unlink()
    for number, rows in enumerate(files):
        pq.write_table(rows, small.folder / "data" / f"part-{number}.parquet")
    small.pipeline["trigger"] = {"policy": "data_amount", "every": 100, "expect": expect}
    small.write()
    names = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*names, experiment_mode=not follows)
    ready_tables(configuration, Path(small.folder / "manifests"), Rest(), Telling(), follows=follows)


def shares(*names: Any) -> dict[str, Any]:
    """Of classes."""
    return {"labels": {"shares": {name: [0, 1] for name in names}}}


@pytest.mark.parametrize(
    ("expect", "rows", "told"),
    [
        (
            {"ranges": {"columns": {"x00": [0, 10]}}},
            table(200),
            f"trigger.expect.ranges.columns: names x00, which is {COLUMNS}; did you mean x0?",
        ),
        (
            {"nulls": {"columns": {"timestamp": 0}}},
            table(200),
            f"nulls.columns: names timestamp, which is {COLUMNS}; known: label, x0, x1.",
        ),
        ({"ignore": ["flight"]}, table(200), f"ignore: names flight, which is {COLUMNS}; known: label, x0, x1."),
        (
            {"categories": {"columns": {"x0": ["a"]}}},
            table(200),
            "categories.columns: names x0, which has no texts: its type is float; remove it.",
        ),
        (
            {"ranges": {"columns": {"code": [0, 1]}}},
            TEXTS,
            "ranges.columns: names code, which has no numbers: its type is string; remove it.",
        ),
        (
            shares("yes", 2),
            WORDS,
            "labels.shares: names 2, which is no label in label of dataset rows; known: no, yes.",
        ),
        (shares(0, 1, 2), table(200), "names 2, which is no label in label of dataset rows; known: 0, 1."),
        (shares(0, 1), NUMBERS, "is of classes, and label label of dataset rows has numbers, of type double; write"),
    ],
)
def test_what_is_not_there_is_told_with_its_line(small: Workplace, expect: Any, rows: pa.Table, told: str) -> None:
    """A column, a kind of values, a class; one sentence each."""
    with pytest.raises(ConfigurationError) as caught:
        judged(small, expect, rows)
    (sentence,) = caught.value.problems
    assert sentence.startswith("pipeline.yaml:")
    assert told in sentence


def test_a_run_that_follows_may_meet_another_class(small: Workplace) -> None:
    """But not one that no label can be."""
    judged(small, shares(0, 7), table(200), follows=True)
    judged(small, shares("maybe"), WORDS, follows=True)
    for rows, told in ((table(200), "has whole numbers; write one of these."), (TRUTHS, "known: false, true.")):
        with pytest.raises(ConfigurationError, match=told):
            judged(small, shares("maybe"), rows, follows=True)


def test_what_is_there_is_not_complained_of(small: Workplace) -> None:
    """Nor is what nothing is known of yet."""
    expect = {"ranges": {"columns": {"x0": [0, 1], "label": [0, 1]}}, "categories": {"columns": {"code": ["a"]}}}
    judged(small, expect | {"ignore": ["x1", "label"]} | shares(0, 1), TEXTS)
    judged(small, {"categories": {"columns": {"code": ["a"]}}}, NULLS)
    judged(small, shares(True, False), TRUTHS)


@pytest.mark.parametrize(("name", "told"), [("1", None), ("yes", "known: 0, 1.")])
def test_labels_in_a_table_of_their_own(small: Workplace, name: str, told: str | None) -> None:
    """Their classes are those of this table."""
    rows = table(200).append_column("id", pa.array(range(200)))
    (small.folder / "labels").mkdir()
    known = rows.select(["id", "label"]).append_column("known_at", rows.column("timestamp"))
    pq.write_table(known, small.folder / "labels" / "0.parquet")
    small.config["storage"]["datasets"]["rows"]["labels"] = {"uri": "labels", "key": ["id"]}
    if told is None:
        judged(small, shares(name), rows.drop(["label"]))
    else:
        with pytest.raises(ConfigurationError, match=told):
            judged(small, shares(name), rows.drop(["label"]))

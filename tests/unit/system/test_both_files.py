"""All mistakes that can be known at once are told at once: those of the files, and columns that the data lacks."""

from __future__ import annotations

import pytest
from late_labels import LABELS, ROWS, LateLabels
from workplace import Workplace

from shared.errors import ConfigurationError
from supervisor.system.both_files import load_both


def told(small: Workplace) -> list[str]:
    """What is wrong."""
    small.write()
    with pytest.raises(ConfigurationError) as caught:
        load_both(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=True)
    return list(caught.value.problems)


def test_columns_are_told_with_the_mistakes_of_the_files(small: Workplace) -> None:
    """An unknown dataset, gate metric, gate window and column names, and typos in both files: one round."""
    small.pipeline["training"]["epocks"] = 2
    small.pipeline["data"] = {"dataset": "rosw", "split": {"test": 0.2, "by": "custmer"}}
    small.pipeline["deployment"]["gate"] |= {"metric": "acuracy", "on": "recnt"}
    small.config["storage"]["datasets"]["rows"] |= {"label": "lable", "features": ["x0", "y9"]}
    small.config["fleet"]["trian"] = 1
    found = told(small)
    assert [one.split(": ")[1] for one in found[:5]] == [
        "training.epocks",
        "fleet.trian",
        "data.dataset",
        "deployment.gate.metric",
        "deployment.gate.on",
    ]
    assert [one.split(" has ")[1] for one in found[5:]] == [
        "no column lable; did you mean label?",
        "no column y9; its columns are timestamp, x0, x1, label.",
        "no column custmer; its columns are timestamp, x0, x1, label.",
    ]


def test_columns_of_labels_in_a_table_of_their_own(small: Workplace) -> None:
    """Rows are asked for their keys, not for a label; the table for all that it is to have."""
    late = LateLabels(small, key=["order"], label="fraud")
    late.write("rows/a.csv", ROWS)
    late.write("labels/a.csv", LABELS)
    small.pipeline["training"]["epocks"] = 2
    assert [one.split(" has ")[1] for one in told(small)[1:]] == [
        "no column order; its columns are timestamp, id, x.",
        "no column fraud; its columns are id, label, known_at.",
        "no column order; its columns are id, label, known_at.",
    ]


@pytest.mark.parametrize("uri", ["nowhere/*.parquet", "pipeline.yaml", "s3x://far/away"])
def test_data_that_cannot_be_read_is_for_later(small: Workplace, uri: str) -> None:
    """The files' own mistakes are told, and nothing else comes of it."""
    small.pipeline["training"]["epocks"] = 2
    small.config["storage"]["datasets"]["rows"]["uri"] = uri
    assert [one.split(": ")[1] for one in told(small)] == ["training.epocks"]


def test_right_files_ask_nothing_of_the_data(small: Workplace) -> None:
    """That is looked at with the system."""
    small.config["storage"]["datasets"]["rows"]["label"] = "lable"
    small.write()
    load_both(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=True)

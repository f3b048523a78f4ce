"""A label that is known seven days after its row is the same label, whether the delay is said or a table says it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from kinds_of_labels import KINDS, ROWS, in_a_table, in_rows
from one_process import OneProcess
from workplace import Workplace


def outcome(small: Workplace, seed: int) -> tuple[dict[str, bytes], dict[str, Any]]:
    """All training sets, weights and scores, byte by byte; and what the summary makes of them."""
    run = OneProcess(small, random.Random(seed))
    run.start()
    run.to_its_end()
    files = sorted(small.run_dir.glob("training_sets/*.parquet")) + sorted(small.run_dir.glob("models/*/*.safetensors"))
    assert len(files) > 8
    found = {str(file.relative_to(small.run_dir)): file.read_bytes() for file in files}
    found["evaluations.csv"] = (small.run_dir / "evaluations.csv").read_bytes()
    summary = json.loads((small.run_dir / "summary.json").read_text())
    told = ("composite", "composite_rows", "deployed_composite", "baselines", "deployed", "classes", "unlabelled")
    triggers = [
        [one[key] for key in ("key", "labelled_key", "samples_selected", "deployed")] for one in summary["trigger_list"]
    ]
    return found, {"triggers": triggers, **{key: summary[key] for key in told}}


def assert_equal(one: tuple[dict[str, bytes], Any], other: tuple[dict[str, bytes], Any]) -> None:
    """To the byte; a file that differs is named."""
    assert one[1] == other[1]
    assert one[0].keys() == other[0].keys()
    assert [name for name, body in one[0].items() if body != other[0][name]] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_delay_and_a_table_that_says_it_are_the_same(tmp_path: Path, kind: str) -> None:
    """The same sets, models, scores, decisions, composites and baselines, to the byte."""
    delayed = outcome(in_rows(tmp_path / "a", kind, label_delay="7d"), 1)
    assert_equal(delayed, outcome(in_a_table(tmp_path / "b", kind), 2))
    keys = [(key, labelled_key) for key, labelled_key, *_ in delayed[1]["triggers"]]
    assert keys == [(key, key - 168 if key >= 168 else None) for key in range(89, ROWS, 90)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_delay_of_nothing_is_none(tmp_path: Path, kind: str) -> None:
    """What was written before labels could come late stays as it is."""
    plain = outcome(in_rows(tmp_path / "a", kind), 1)
    assert_equal(plain, outcome(in_rows(tmp_path / "b", kind, label_delay="0s"), 2))

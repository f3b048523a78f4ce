"""What is said of labels before a run agrees, to the row, with a look at each of them."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from late_labels import LABELS, ROWS, LateLabels
from workplace import Workplace

from shared.config.system import Labels
from shared.dataset.survey.labels import LabelSurvey, LabelTable
from shared.dataset.survey.survey import Survey, survey
from shared.dataset.survey.understood import understand
from shared.dataset.survey.waiting import Waiting

DAY_US = 86_400_000_000
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)


def surveyed(late: LateLabels) -> Survey:
    """All of both tables."""
    labels = late.config.labels
    assert isinstance(labels, Labels)
    return survey(late.rows(), LabelSurvey(late.labels(), labels))


def understood(late: LateLabels) -> LabelTable:
    """What is said of the table of labels."""
    found = understand(surveyed(late))[0].labels
    assert found is not None
    return found


def warnings(late: LateLabels) -> list[str]:
    """What looks wrong."""
    return [one.removeprefix("dataset rows: ") for one in understand(surveyed(late))[1]]


@pytest.fixture
def late(small: Workplace) -> LateLabels:
    """Two folders without files."""
    return LateLabels(small)


class Reference:
    """Rows and labels as lists: (key, day) and (key, value, known day), and what is true of them, one by one."""

    def __init__(self, rows: list[tuple[Any, int]], labels: list[tuple[Any, Any, int]], patience: int | None) -> None:
        event, now = [], 0
        for _, day in rows:
            now = max(now, day)
            event.append(now)
        of_key = defaultdict(list)
        for position, (key, value, known) in enumerate(labels):
            if not None_in(key) and value is not None:
                of_key[key].append((known, position, value))
        self.final: list[Any] = []
        self.counts = dict.fromkeys(("labelled", "waiting", "too_late", "unlabelled", "given_up", "early"), 0)
        for (key, day), at in zip(rows, event, strict=True):
            have = of_key[key]
            pairs = sorted(one for one in have if patience is None or one[0] <= at + patience)
            self.final.append(pairs[-1][2] if pairs else None)
            kind = "labelled" if pairs and pairs[0][0] <= now else "waiting" if pairs else "too_late"
            self.counts[kind if have else "unlabelled"] += 1
            self.counts["early"] += bool(pairs) and pairs[0][0] < day
            self.counts["given_up"] += patience is not None and not pairs and at + patience < now
        there = {key for key, _ in rows}
        whole = [key for key, _, _ in labels if not None_in(key)]
        self.counts |= {
            "keys": len(set(whole)),
            "repeated": len(whole) - len(set(whole)),
            "null_keys": len(labels) - len(whole),
            "null_labels": sum(value is None for _, value, _ in labels),
            "without_row": sum(key not in there for key in whole),
            "corrected": sum(
                one[2] != other[2]
                for some in map(sorted, of_key.values())
                for one, other in zip(some, some[1:], strict=False)
            ),
        }


def None_in(key: tuple[Any, ...]) -> bool:  # noqa: N802
    """Whether a part of a key is null."""
    return any(part is None for part in key)


@pytest.mark.parametrize("seed", range(12))
def test_each_count_is_exact(small: Workplace, seed: int) -> None:
    """Whatever keys, labels and moments there are, in however many files, of several types."""
    random = np.random.default_rng(seed)
    columns, patience = 1 + seed % 2, (None, 3, 0)[seed % 3]
    text = seed % 4 == 3
    part = [None, *([f"k{n}" for n in range(9)] if text else range(9))]

    def keys(count: int) -> list[tuple[Any, ...]]:
        return [tuple(part[i] for i in random.integers(0, len(part), columns)) for _ in range(count)]

    rows = list(zip(keys(60), random.integers(0, 30, 60).tolist(), strict=True))
    values = random.choice([None, 0, 1, 2] if seed % 2 else [None, "no", "yes"], 80).tolist()
    labels = list(zip(keys(80), values, random.integers(0, 40, 80).tolist(), strict=True))
    names = [f"key{number}" for number in range(columns)]
    changes = {} if patience is None else {"patience": f"{patience}d" if patience else "0.000001s"}
    late = LateLabels(small, key=names, **changes)
    kind = pa.string() if text else pa.int64()
    for start in (0, 25):
        some = rows[start : 25 if start == 0 else None]
        table = {name: pa.array([key[n] for key, _ in some], kind) for n, name in enumerate(names)}
        days = [BEGAN + timedelta(days=day) for _, day in some]
        late.write(f"rows/{start}.parquet", {"timestamp": days, "x": [0.5] * len(some), **table})
    for start in (0, 30):
        found = labels[start : 30 if start == 0 else None]
        # later files are written in another type
        wide = pa.large_string() if text else pa.float64() if start else pa.int64()
        table = {name: pa.array([key[n] for key, _, _ in found], wide) for n, name in enumerate(names)}
        days = [BEGAN + timedelta(days=day) for _, _, day in found]
        label = pa.array([value for _, value, _ in found], pa.int64() if seed % 2 else pa.string())
        late.write(f"labels/{start}.parquet", {"known_at": days, "label": label, **table})
    expected, found_all = Reference(rows, labels, patience), surveyed(late)
    assert found_all.labels is not None
    told = found_all.labels.understood()
    assert {name: getattr(told, name) for name in expected.counts} == expected.counts
    assert found_all.label.nulls == expected.final.count(None)
    known = [one for one in expected.final if one is not None]
    label = understand(found_all)[0].label
    assert label.classes is not None
    assert {one.label: one.rows for one in label.classes} == {one: known.count(one) for one in set(known)}


def test_what_the_table_is(late: LateLabels) -> None:
    """Its files, and the span of known_at."""
    late.write("rows/a.csv", ROWS)
    late.write("labels/a.csv", LABELS)
    log = late.write("labels/b.csv", b"known_at,label,id\n2024-02-01,1,2\n")
    late.labels()
    log.write_bytes(log.read_bytes() + b"2024-02-02,1,2\n")
    told = understood(late)
    assert (told.uri, told.key, told.rows, told.files, told.pieces) == (f"{late.folder}/labels", ("id",), 4, 2, 3)
    assert told.size_bytes == len(LABELS) + log.stat().st_size
    assert (told.first_known_at, told.last_known_at) == ("2024-01-05T00:00:00.000000Z", "2024-02-02T00:00:00.000000Z")


def test_no_label_yet(late: LateLabels) -> None:
    """All rows are without one."""
    late.write("rows/a.csv", ROWS)
    told = understood(late)
    assert (told.rows, told.unlabelled, told.first_known_at, told.keys) == (0, 2, None, 0)
    assert warnings(late) == []


def test_features_that_give_late_labels_away(late: LateLabels) -> None:
    """They are compared with the labels of the table."""
    days = [BEGAN + timedelta(days=day) for day in range(40)]
    label = [day % 3 for day in range(40)]
    late.write("rows/a.parquet", {"timestamp": days, "id": range(40), "x": label, "y": [day % 2 for day in range(40)]})
    late.write("labels/a.parquet", {"known_at": days, "id": [*range(39, -1, -1)], "label": label[::-1]})
    (told,) = warnings(late)
    assert told.startswith("x: equals the label in every row, a leak.")


def test_keys_that_no_row_has(late: LateLabels) -> None:
    """A warning: labels may come before their rows, but all of them seldom do."""
    late.write("rows/a.csv", ROWS)
    late.write("labels/a.csv", LABELS.replace(b"\n1,", b"\n11,").replace(b"\n2,", b"\n12,"))
    (told,) = warnings(late)
    assert told == "no row has the id of any of its 2 labels. Is `key` of labels the column that both share?"


@pytest.mark.parametrize(
    ("rows", "labels", "file"), [(b"007", b"7", "rows"), (b"7", b"007", "labels"), (b"7", b"70", "")]
)
def test_keys_that_lose_zeros_in_a_csv(late: LateLabels, rows: bytes, labels: bytes, file: str) -> None:
    """007 and 7 are one key then, which is said of the first of them; 70 has no zero in front."""
    late.write("rows/a.csv", ROWS + b"2024-01-03," + rows + b",1\n")
    late.write("labels/a.csv", LABELS + labels + b",1,2024-01-01\n")
    told = [one for one in warnings(late) if one.startswith("id: ")]
    path = late.folder / file / "a.csv"
    expected = [f"id: '007' in {path}"] if file else []
    assert [one.partition(" is read as the number 7, ")[0] for one in told] == expected


def test_labels_that_are_known_before_their_rows(late: LateLabels) -> None:
    """A few are no matter; where it is most of them the wrong column may be named."""
    late.write("rows/a.csv", ROWS)
    late.write("labels/a.csv", LABELS.replace(b"2024-01-0", b"2023-01-0"))
    (told,) = warnings(late)
    assert told.startswith("2 of 2 rows with a label had it before their own time. Is known_at of labels the moment")


def test_labels_of_which_none_is_known_yet(late: LateLabels) -> None:
    """Nothing could be trained."""
    late.write("rows/a.csv", ROWS)
    late.write("labels/a.csv", LABELS)
    (told,) = warnings(late)
    come = "no label of a row is known yet: event time has come to 2024-01-02T00:00:00.000000Z"
    assert told.startswith(f"{come}, and the first label is known at 2024-01-0")


def test_a_label_of_no_row_is_not_the_first_that_is_known(late: LateLabels) -> None:
    """It would be said to be known before it is."""
    late.write("rows/a.csv", ROWS)
    late.write("labels/a.csv", LABELS + b"99,1,2023-01-01\n")
    (told,) = warnings(late)
    come = "no label of a row is known yet: event time has come to 2024-01-02T00:00:00.000000Z"
    assert told == f"{come}. Nothing can be trained before one is known."


def test_columns_of_the_rows_that_are_called_like_the_labels(late: LateLabels) -> None:
    """They are left out, and that is said; one that says when the row was is the timestamp."""
    late.write("rows/a.csv", b"timestamp,id,x,label,known_at\n2024-01-05,1,0.5,a,\n2024-01-06,2,0.5,b,\n")
    late.write("labels/a.csv", LABELS)
    told = warnings(late)
    assert [one.partition(":")[0] for one in told] == ["label", "known_at"]
    assert "stands in the rows, too. It is no feature, as it may be what is known later" in told[0]


def test_how_known_at_was_read(late: LateLabels) -> None:
    """Its form, local times that occur twice or never, and what is said of it that no file needs."""
    late.write("rows/a.csv", ROWS)
    known = ["31/03/2024 02:30", "27/10/2024 02:30", "01/01/2024 00:00"]
    lines = "".join(f"{number},0,{text}\n" for number, text in enumerate(known, 1))
    late.write("labels/a.csv", f"id,label,known_at\n{lines}".encode())
    group = {"column": "known_at", "format": "%d/%m/%Y %H:%M", "zone": "Europe/Zurich"}
    late.place.config["storage"]["datasets"]["rows"]["labels"]["known_at"] = group
    told = understood(late)
    assert (told.time.column, told.time.types, told.time.format, told.time.zone) == (
        "known_at", ("string",), group["format"], group["zone"],
    )  # fmt: skip
    assert (told.time.twice, told.time.never) == (1, 1)
    (late.folder / "labels/a.csv").unlink()
    Path(f"{late.root}/datasets/rows.labels.jsonl").unlink()
    late.write("labels/a.parquet", {"id": [1, 2], "label": [0, 1], "known_at": [BEGAN, BEGAN]})
    assert any(one.startswith("dataset rows.labels: known_at.format is of texts") for one in warnings(late))


@pytest.mark.parametrize("seed", range(3))
def test_moments_that_are_waited_for(seed: int) -> None:
    """They come in any order, and time only goes forward."""
    random, waiting, seen, now = np.random.default_rng(seed), Waiting(), np.empty(0, np.int64), 0
    for _ in range(20):
        some = random.integers(0, 1000, 50)
        now += int(random.integers(0, 60))
        waiting.add(some, now)
        seen = np.concatenate([seen, some])
        assert waiting.left(now) == int((seen > now).sum())
        assert waiting.passed == int((seen <= now).sum())

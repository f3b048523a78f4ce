"""Of a replay that is over it is said that its dataset has grown: rows, and labels in a table of their own."""

from __future__ import annotations

import pytest
from late_labels import LABELS, ROWS, LateLabels
from workplace import Workplace

from shared.dataset.growth import Rest
from shared.dataset.manifest import manifest_path, read_manifest
from supervisor.run.start.grown import grown_since
from supervisor.system.tables import tables_with_keys


@pytest.fixture
def late(small: Workplace) -> LateLabels:
    """Two rows and two labels, which have keys."""
    one = LateLabels(small, experiment=True)
    one.write("rows/a.csv", ROWS)
    one.write("labels/a.csv", LABELS)
    tables_with_keys(one.configuration(), Rest(), follows=False)
    return one


@pytest.mark.parametrize(
    ("rows", "labels", "told"),
    [(0, 0, None), (1, 0, "2 rows"), (0, 1, "2 labels"), (2, 1, "4 rows and 2 labels")],
)
def test_what_has_come_since(late: LateLabels, rows: int, labels: int, told: str | None) -> None:
    """It is counted, and nothing of it gets a key."""
    for number in range(rows):
        late.write(f"rows/b{number}.csv", ROWS)
    for number in range(labels):
        late.write(f"labels/b{number}.csv", LABELS)
    said = grown_since(late.configuration(), 2, 2)
    expected = f"Dataset rows has grown by {told} since. A new run replays all of it: leave out --resume"
    assert (said is None) if told is None else (said is not None and said.startswith(expected))
    for name in ("rows", "rows.labels"):
        assert len(read_manifest(manifest_path(late.root, name))) == 1


def test_what_is_wrong_is_no_concern(late: LateLabels) -> None:
    """Of a run that is over: a changed file of one table hides nothing of the other."""
    (late.folder / "rows/a.csv").write_bytes(ROWS.replace(b"0.5", b"0.6"))
    late.write("labels/b.csv", LABELS)
    said = grown_since(late.configuration(), 2, 2)
    assert said is not None
    assert said.startswith("Dataset rows has grown by 2 labels since.")

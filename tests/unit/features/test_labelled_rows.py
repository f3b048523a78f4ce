"""Labels of a table that are tried out, before any of them has a row."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from late_labels import LateLabels
from workplace import Workplace

from shared.dataset.discovery import find
from shared.dataset.labels_table import labels_table
from workers.features.labelled_rows import AnyLabels


@pytest.mark.parametrize(
    ("first", "then", "found"),
    [
        (pa.array([False, True]), pa.array([2, None]), [0, 1, 2, None]),
        (pa.array([False, True]), pa.array([0.5, 1.0], pa.float32()), [0.0, 1.0, 0.5, 1.0]),
        (pa.array([2**60, 1]), pa.array([0.5, 1.0]), [2.0**60, 1.0, 0.5, 1.0]),
        (pa.array([Decimal("0.25"), None]), pa.array([1, 2], pa.uint8()), [0.25, None, 1.0, 2.0]),
        (pa.nulls(2), pa.array([1, 0]), [None, None, 1, 0]),
        (pa.array(["no", "yes"]), pa.array(["yes", None]).dictionary_encode(), ["no", "yes", "yes", None]),
        (pa.nulls(2), pa.array(["yes", "no"]), [None, None, "yes", "no"]),
    ],
)
def test_files_may_write_labels_in_several_types(
    small: Workplace, first: pa.Array, then: pa.Array, found: list[Any]
) -> None:
    """All that fit beside each other; behind the last label there is none."""
    late, moments = LateLabels(small), pa.array([10, 20], pa.timestamp("us"))
    for name, labels in (("a", first), ("b", then)):
        late.write(f"labels/{name}.parquet", {"id": [1, 2], "label": labels, "known_at": moments})
    files = find(labels_table(late.config), late.root, ())
    assert files.misfits == {}
    assert AnyLabels(late.config, files.entries).of(np.arange(5)).to_pylist() == [*found, None]

"""A reader knows how far an index goes, also where what was written is seen later than elsewhere."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from shared.labels.coverage import Coverage, covered, is_of_several_machines, say_covered
from shared.labels.writer import LabelIndexWriter


def keys(*values):
    """Key columns of rows."""
    return pa.table({"id": values})


def test_a_writer_says_how_far_it_is(tmp_path):
    """After each call, of rows and of labels."""
    writer = LabelIndexWriter(tmp_path / "index", None)
    assert covered(tmp_path / "index") == (-1, 0)
    writer.found(0, keys(1, 2), np.array([5, 6]), pa.chunked_array([[1, 0]]), 0)
    assert covered(tmp_path / "index") == (-1, 2)
    writer.observe(0, [keys(1, 2, 3)], np.array([1, 2, 3]))
    assert covered(tmp_path / "index") == (2, 2)


@pytest.mark.parametrize(
    ("row", "positions", "reaches"), [(9, 4, True), (9, None, True), (10, 4, False), (9, 5, False), (-1, None, True)]
)
def test_what_is_needed_may_be_beyond_it(tmp_path, row, positions, reaches):
    """Of rows, or of labels; and nothing is there before its writer has begun."""
    assert not covered(tmp_path).reaches(0, None)
    say_covered(tmp_path, Coverage(9, 4))
    assert covered(tmp_path).reaches(row, positions) is reaches


def test_a_folder_of_this_machine_is_not_written_through(tmp_path):
    """To have the disk take all at once would cost more than the join."""
    assert not is_of_several_machines(tmp_path)

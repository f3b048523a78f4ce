"""What an index of labels promises beside the join: types of labels, order of calls, and readers beside the writer."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from workplace import PROJECT, environment

from shared.errors import ArtifactLostError, DataError
from shared.labels.as_of import FINAL, AsOf
from shared.labels.index import LabelIndex
from shared.labels.writer import LabelIndexWriter

# Rows of 10 µs each; the labels of the rows before are found before each batch. Says how far it is after each one.
WRITES = """
import sys
from pathlib import Path
import numpy as np, pyarrow as pa
from shared.labels.writer import LabelIndexWriter
writer = LabelIndexWriter(Path(sys.argv[1]), None)
for first in range(0, 200_000, 1_000):
    ids = np.arange(first, first + 1_000)
    late = np.random.default_rng(first).permutation(ids - 1_000) if first else ids[:0]
    writer.found(writer.position, pa.table({"id": late}), late * 10 + 5_000, pa.chunked_array([late % 7]), first)
    corrected = late[late % 10 == 0]
    values = pa.chunked_array([corrected % 7 + 7])
    writer.found(writer.position, pa.table({"id": corrected}), corrected * 10 + 20_000, values, first)
    writer.observe(first, [pa.table({"id": ids})], ids * 10)
    print(ids[-1], writer.position, flush=True)
"""

# A folder whose files cannot grow beyond 1 MiB stands for a full disk.
FILLS = """
import resource, sys
from pathlib import Path
import numpy as np, pyarrow as pa
from shared.labels.writer import LabelIndexWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
writer = LabelIndexWriter(Path(sys.argv[1]), None)
try:
    for first in range(0, 1_000_000, 10_000):
        keys = pa.table({"id": np.arange(first, first + 10_000)})
        writer.found(first, keys, np.zeros(10_000, np.int64), pa.chunked_array([np.zeros(10_000)]), first)
        writer.observe(first, [keys], np.zeros(10_000, np.int64))
except OSError as error:
    print(first, type(error).__name__)
"""


def numbers(first, count):
    """Key columns of rows or label rows."""
    return pa.table({"id": np.arange(first, first + count)})


def labelled(folder, *labels, types=None):
    """An index of rows 0, 1, 2… with these labels, each chunk found by itself."""
    writer, position = LabelIndexWriter(folder, None), 0
    for number, chunk in enumerate(labels):
        column = pa.chunked_array([pa.array(chunk, types[number] if types else None)])
        writer.found(position, numbers(position, len(chunk)), np.zeros(len(chunk), np.int64), column, 0)
        position += len(chunk)
    writer.observe(0, [numbers(0, position)], np.arange(position))
    return LabelIndex(folder), writer


def read(index, count, position=None):
    """Type and values of the first rows' labels."""
    found = index.labels(np.arange(count), AsOf(event_time_us=None, position=position))
    return str(found.type), found.to_pylist()


def test_whole_numbers_stay_whole_until_the_first_fraction_was_found(tmp_path):
    """Whatever types they are written in; and what was read before is read the same again."""
    types = [pa.bool_(), pa.float32(), pa.decimal128(5, 1), pa.uint64(), pa.float64()]
    chunks = [True, None], [2.0, float("nan")], [Decimal("3.0")], [2**53 - 1], [0.5]
    index, writer = labelled(tmp_path / "i", *chunks, types=types)
    assert read(index, 7, 6) == ("int64", [1, None, 2, None, 3, 2**53 - 1, None])
    assert read(index, 7, 7) == read(index, 7) == ("double", [1.0, None, 2.0, None, 3.0, 2.0**53 - 1, 0.5])
    assert writer.unlabelled == 2


def test_whole_numbers_that_a_float_does_not_hold_are_fractions(tmp_path):
    """They are rounded, and not shown as if they were exact."""
    index, _ = labelled(tmp_path / "i", [1, 2**53 + 1])
    assert read(index, 2) == ("double", [1.0, float(2**53)])


def test_texts_are_read_as_they_were(tmp_path):
    """Of any type and in any order; what changes are made of are their numbers."""
    types = [pa.string(), pa.dictionary(pa.int8(), pa.string()), pa.string_view(), pa.large_string(), pa.null()]
    chunks = ["no", "line\nbreak", None], ["yes", "no"], ["", "ü\u2028"], ["no"], [None]
    index, _ = labelled(tmp_path / "i", *chunks, types=types)
    flat = [label for chunk in chunks for label in chunk]
    assert read(index, 9) == ("string", flat)
    assert index.texts() == ["no", "line\nbreak", "yes", "", "ü\u2028"]
    assert index.changes(0, 9)["value"].tolist() == [0, 1, 2, 0, 3, 4, 0]


def test_an_index_without_labels_has_nulls(tmp_path):
    """Rows without label rows, and before there are rows at all."""
    writer = LabelIndexWriter(tmp_path / "i", None)
    index = LabelIndex(tmp_path / "i")
    assert read(index, 0) == ("int64", [])
    assert (writer.settled_key, writer.waiting, writer.unlabelled) == (-1, 0, 0)
    assert index.newly_known(None, 10).tolist() == index.changes(0, 10).tolist() == []
    writer.observe(5, [numbers(5, 3)], np.arange(3))
    assert read(index, 8) == ("int64", [None] * 8)
    assert (writer.settled_key, writer.waiting, writer.known_at(6)) == (4, 3, None)


@pytest.mark.parametrize(("first", "then"), [(["a"], [1]), ([1.5], ["a"])])
def test_texts_and_numbers_do_not_mix(tmp_path, first, then):
    """The sentence says from which row on; nothing was written of it."""
    index, writer = labelled(tmp_path / "i", first)
    with pytest.raises(DataError, match=r"before row 1 of the labels' table are (texts|numbers), those from it on are"):
        writer.found(1, numbers(0, 1), np.zeros(1, np.int64), pa.chunked_array([then]), 1)
    assert (writer.position, read(index, 1)[1]) == (1, first)


def test_labels_that_nothing_can_learn_are_refused(tmp_path):
    """By their type."""
    with pytest.raises(DataError, match=r"labels of type list<.*cannot be learned"):
        labelled(tmp_path / "i", [[1]])


def test_what_does_not_go_on_is_refused(tmp_path):
    """Label rows, rows and moments out of turn are mistakes of who calls."""
    _, writer = labelled(tmp_path / "i", [1, 2, 3])
    label = (numbers(0, 1), np.zeros(1, np.int64), pa.chunked_array([[1]]))
    for position, from_key in ((2, 3), (4, 3), (3, 2)):
        with pytest.raises(ValueError, match="label rows 3… from row 3 on were due"):
            writer.found(position, *label, from_key)
    writer.found(3, *label, 9)
    with pytest.raises(ValueError, match="label rows from 4 on count from row 8 on, those before from 9 on"):
        writer.found(4, *label, 8)
    with pytest.raises(ValueError, match="row 3 was due, not 4"):
        writer.observe(4, [numbers(4, 1)], np.array([9]))
    with pytest.raises(ValueError, match="event time runs back between row 2 and 3"):
        writer.observe(3, [numbers(3, 1)], np.array([1]))
    for key in (-1, 3):
        with pytest.raises(ValueError, match=f"row {key} is not one of those observed last"):
            writer.known_at(key)
    with pytest.raises(FileExistsError):
        LabelIndexWriter(tmp_path / "i", None)


def test_an_index_that_is_gone_is_said(tmp_path):
    """With its folder and the remedy."""
    with pytest.raises(ArtifactLostError, match=r"the index of labels .*gone is not there.*--resume"):
        LabelIndex(tmp_path / "gone")


def test_moments_at_the_ends_of_time_do_not_overflow(tmp_path):
    """Neither with the longest patience nor with the shortest."""
    ends = np.iinfo(np.int64)
    times_us = np.array([ends.min, ends.min + 5, ends.max - 5, ends.max])
    known_us = np.array([ends.max, ends.min, ends.max, ends.max])
    for patience_us, known in ((0, [None, 1, None, 3]), (1, [None, 1, None, 3]), (ends.max, [None, 1, 2, 3])):
        writer = LabelIndexWriter(tmp_path / str(patience_us), patience_us)
        writer.found(0, numbers(0, 4), known_us, pa.chunked_array([[0, 1, 2, 3]]), 0)
        writer.observe(0, [numbers(0, 4)], times_us)
        assert read(LabelIndex(tmp_path / str(patience_us)), 4)[1] == known
        assert writer.waiting == 0


def test_a_full_disk_is_an_error_that_can_be_told(tmp_path):
    """And not a process that is killed when it writes to a file without room."""
    command = [sys.executable, "-c", FILLS, str(tmp_path / "i")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=environment(), check=True)
    first, error = done.stdout.split()
    assert (int(first) > 0, error) == (True, "OSError")


def test_readers_see_whole_answers_while_the_writer_goes_on(tmp_path):
    """In another process: what was said to be there is, and all that is seen of later rows is right."""
    command = [sys.executable, "-c", WRITES, str(tmp_path / "i")]
    index, answers = None, 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=environment()) as writer:
        for line in writer.stdout:
            last, position = map(int, line.split())
            index = index or LabelIndex(tmp_path / "i")
            as_of = AsOf(event_time_us=last * 10, position=position)
            keys = np.arange(max(last - 5_000, 0), last + 1)
            known = (keys * 10 + 5_000 <= last * 10) & (keys <= last - 1_000)
            corrected = (keys * 10 + 20_000 <= last * 10) & (keys % 10 == 0)
            assert index.labels(keys, as_of).equals(pa.array(keys % 7 + 7 * corrected, mask=~known))
            rows = index.newly_known(last - 1_000 if last > 1_000 else None, last)
            assert rows.tolist() == list(range(max(last - 1_999, 0), last - 999))
            later = index.changes(last + 1, last + 1_000_000)
            assert (
                later["value"] == later["row"] % 7 + 7 * (later["row"] % 10 == 0) * ~np.isnan(later["before"])
            ).all()
            assert (np.diff(later["e"]) >= 0).all()
            answers += len(later) > 0
    assert writer.returncode == 0
    assert answers
    assert index.labels(np.arange(200_000), FINAL).null_count == 1_000

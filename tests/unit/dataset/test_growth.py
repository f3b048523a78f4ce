"""A text file that grows gives its new whole lines new keys; whatever else happens to a file is told."""

from __future__ import annotations

import os
import tempfile
from itertools import accumulate, combinations
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.config.system import Dataset
from shared.dataset.column_kinds import days, kind_of
from shared.dataset.discovery import Found, discover, find
from shared.dataset.growth import Rest, rest_s
from shared.dataset.manifest import ManifestEntry, manifest_path, read_manifest, refuse_moved_keys, restore_manifest
from shared.dataset.problems import problems
from shared.dataset.sameness import evenly_spread
from shared.dataset.table import open_dataset
from shared.dataset.time_problems import file_order_problems
from shared.errors import DataError

NEVER_S, AT_ONCE_S = 1e9, 0.0
HEAD = "time,x,label\n"


class Log:
    """A file that somebody writes to, in a dataset of its own."""

    def __init__(self, root: Path, name: str = "log.csv") -> None:
        self.data, self._runs = root / "data", str(root / "runs")
        self.data.mkdir()
        self.path, self.manifest = self.data / name, manifest_path(self._runs, "rows")

    def add(self, text: str | bytes) -> None:
        """Write at the end."""
        with self.path.open("ab") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def leave_alone(self, for_s: float = 60) -> None:
        """Nobody has written to it for so long."""
        modified_s = self.path.stat().st_mtime - for_s
        os.utime(self.path, (modified_s, modified_s))

    def config(self, **changes: Any) -> Dataset:
        """What config.yaml says of it."""
        values = {"timestamp": "time", "unit": "s", "label": "label", "features": None, "image": None, "text": None}
        return Dataset(**{"name": "rows", "kind": "table", "uri": str(self.data), **values, **changes})

    def look(self, at_rest_s: float = 5.0, **changes: Any) -> tuple[ManifestEntry, ...]:
        """What a supervisor finds."""
        return discover(self.config(**changes), self._runs, at_rest_s=at_rest_s)

    def find(self, rest: Rest, **changes: Any) -> Found:
        """What a run finds."""
        return find(self.config(**changes), self._runs, (), rest)

    def pieces(self, at_rest_s: float = 5.0, **changes: Any) -> list[tuple[int, int]]:
        """The first and the last key of each entry."""
        return [(entry.first_key, entry.stop_key - 1) for entry in self.look(at_rest_s, **changes)]

    def values(self, name: str = "x", at_rest_s: float = 5.0, **changes: Any) -> list[Any]:
        """A column of all rows that have keys."""
        return self.column(name, self.look(at_rest_s, **changes), **changes)

    def column(self, name: str, entries: Any, **changes: Any) -> list[Any]:
        """A column of the rows of some entries."""
        dataset = open_dataset(self.config(**changes), entries)
        return [value for _, piece in dataset.batches([name], 0, dataset.rows) for value in piece[name].to_pylist()]

    def forget(self) -> None:
        """Remove the manifest, as people do to say that a file was mended, and restore it as --resume does."""
        entries = read_manifest(self.manifest)
        self.manifest.unlink()
        restore_manifest(self._runs, "rows", entries)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """A CSV file that is not there yet."""
    return Log(tmp_path)


def row(number: int) -> str:
    """A line."""
    return f"{number},{number},{number % 2}\n"


def rows(*numbers: int) -> str:
    """Lines."""
    return "".join(map(row, numbers))


def test_new_whole_lines_get_new_keys(log: Log) -> None:
    """One more entry of the same file, with its first row; what is written at the moment waits."""
    log.add(HEAD + rows(0, 1) + "2,2")
    assert log.pieces() == [(0, 1)]
    log.add(",0\n" + row(3) + "4")
    assert log.pieces() == [(0, 1), (2, 3)]
    assert log.pieces() == [(0, 1), (2, 3)]
    log.add(",4,0\n")
    assert log.values() == [0, 1, 2, 3, 4]
    entries = read_manifest(log.manifest)
    assert [(entry.first_row, entry.first_byte, entry.size_bytes) for entry in entries] == [
        (0, 0, 25),
        (2, 25, 37),
        (4, 37, 43),
    ]
    assert len({entry.discovered_us for entry in entries}) == 3


def test_a_file_that_does_not_grow_has_the_entry_that_it_always_had(log: Log) -> None:
    """The manifest says nothing of pieces where there are none."""
    log.add(HEAD + rows(0, 1))
    log.look()
    (line,) = log.manifest.read_text().splitlines()
    assert list(msgspec.json.decode(line)) == [
        "file",
        "rows",
        "size_bytes",
        "fingerprint",
        "mark",
        "first_key",
        "discovered_us",
    ]


def test_new_files_and_new_lines_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Within one look; and what was found keeps its keys."""
    log = Log(tmp_path, "b.csv")
    log.add(HEAD + row(0))
    assert log.values() == [0]
    log.add(row(2))
    (log.data / "a.csv").write_text(HEAD + row(1))
    (log.data / "c.csv").write_text(HEAD + row(3))
    assert log.values() == [0, 1, 2, 3]
    assert [Path(entry.file).name for entry in log.look()] == ["b.csv", "a.csv", "b.csv", "c.csv"]


FIELDS = st.text("a,\"\n\ré 'x", max_size=4)
PLAIN = st.text("a\"é 'x", max_size=4).map(lambda text: f"a{text}")  # a quote within is one like other letters
QUOTED = FIELDS.map(lambda text: '"a' + text.replace('"', '""') + '"')


@settings(max_examples=60, deadline=None)
@given(values=st.lists(PLAIN | QUOTED, max_size=8), end=st.sampled_from(["\n", "\r\n", "\n\n"]), data=st.data())
def test_whatever_pieces_it_comes_in_each_row_of_a_csv_gets_one_key(values: list[str], end: str, data: Any) -> None:
    """Cut anywhere, within quotes and characters too, it has the rows that it has when it is read once."""
    text = end.join(["time,x,label", *(f"{number},{value},0" for number, value in enumerate(values))])
    text += data.draw(st.sampled_from(["", end]))
    grow(text.encode(), "log.csv", data, has_rows=bool(values))


@settings(max_examples=30, deadline=None)
@given(values=st.lists(FIELDS, max_size=8), end=st.sampled_from(["\n", "\r\n", "\n\n"]), data=st.data())
def test_whatever_pieces_they_come_in_each_of_json_lines_gets_one_key(values: list[str], end: str, data: Any) -> None:
    """Cut anywhere, also within an escaped character."""
    objects = [{"time": number, "x": value, "label": 0} for number, value in enumerate(values)]
    text = end.join(msgspec.json.encode(one).decode() for one in objects) + data.draw(st.sampled_from(["", end]))
    grow(text.encode(), "log.jsonl", data, has_rows=bool(values))


def grow(text: bytes, name: str, data: Any, *, has_rows: bool) -> None:
    """Write in pieces, look in between, and compare with what is read in one go."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    with tempfile.TemporaryDirectory() as folder:
        log = Log(Path(folder), name)
        for start, stop in zip([0, *cuts], [*cuts, len(text)], strict=True):
            log.add(text[start:stop])
            log.look(NEVER_S)
        log.leave_alone()
        entries = log.look()
        assert bool(entries) == has_rows
        once = Log(Path(tempfile.mkdtemp(dir=folder)), name)
        once.add(text)
        expected = once.values(at_rest_s=AT_ONCE_S) if entries else []
        assert log.column("x", entries) == expected
        assert [entry.first_key for entry in entries[1:]] == [entry.stop_key for entry in entries[:-1]]
        assert [value for entry in entries for value in log.column("x", [one(entry)])] == expected
        log.forget()
        assert log.column("x", log.look()) == expected


def one(entry: ManifestEntry) -> ManifestEntry:
    """A piece alone."""
    return msgspec.structs.replace(entry, first_key=0)


def test_a_last_line_without_an_end_counts_when_nobody_has_written_for_a_while(log: Log) -> None:
    """Its row is not torn from the file's first look; while it may still go on, it waits."""
    log.add(HEAD + row(0) + "1,1,1")
    assert log.pieces() == [(0, 0)]
    log.leave_alone(50)
    assert log.pieces() == [(0, 0)]
    log.leave_alone(60)
    assert log.pieces() == [(0, 0), (1, 1)]
    other = log.data / "other.csv"
    other.write_text(HEAD + rows(2, 3)[:-1])
    os.utime(other, (1, 1))
    assert log.pieces() == [(0, 0), (1, 1), (2, 3)]
    log.add("\n" + row(2))
    assert log.values() == [0, 1, 2, 3, 2]


def test_whose_clock_is_ahead_is_at_rest_when_its_size_stays(log: Log) -> None:
    """A time in the future says nothing; that this process has long seen the same size does."""
    log.add(HEAD + row(0) + "1,1,1")
    log.leave_alone(-3_600)
    assert log.pieces(0.01) == [(0, 0)]
    while log.pieces(0.01) == [(0, 0)]:
        pass
    assert log.values() == [0, 1]


@pytest.mark.parametrize("rest", ["1,1", '1,"x', "1"])
def test_what_is_no_row_waits(log: Log, rest: str) -> None:
    """However long nobody has written: too few cells, or within quotes; once it is whole it counts."""
    log.add(HEAD + row(0) + rest)
    log.leave_alone()
    assert log.pieces() == [(0, 0)]
    log.add({"1,1": ",1\n", '1,"x': '\ny",1\n', "1": ",1,1\n"}[rest])
    assert log.pieces() == [(0, 0), (1, 1)]


def test_a_quote_that_is_never_closed_is_told(log: Log) -> None:
    """Else all that comes would wait for its end, without a word; what stands before it has keys."""
    log.add(HEAD + row(0) + '1,"1,1\n')
    assert log.pieces() == [(0, 0)]
    log.add(rows(*range(100_000)))
    with pytest.raises(DataError, match=r"log\.csv has a quote in the row that begins at byte 19 that is not closed"):
        log.look()


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_a_file_of_zeros_is_told(tmp_path: Path, name: str) -> None:
    """Once nobody writes to it any more; no row will come of it."""
    log = Log(tmp_path, name)
    log.add(b"\0" * 5_000)
    assert log.pieces() == []
    log.leave_alone()
    with pytest.raises(DataError, match="it begins with zeros. Mend it or take it away"):
        log.look()


def test_whose_clock_is_behind_is_not_at_rest_for_that(log: Log) -> None:
    """What a server's clock puts some seconds into the past may still be written to: its size has to have been seen."""
    log.add(HEAD + row(0) + "1,1,1")
    log.leave_alone(50)
    assert log.pieces(0.01) == [(0, 0)]
    log.add("7\n")
    log.leave_alone(50)
    assert log.values("label", 0.01) == [0, 17]


def test_an_experiment_gives_no_keys_to_half_a_line(log: Log) -> None:
    """They are those of all runs: what another run reads later are the right rows. What nobody writes to counts."""
    log.add(HEAD + row(0) + "1,1,1")
    found = log.find(Rest(5.0, to_the_end=True))
    assert [entry.rows for entry in found.entries] == [1]
    (tail,) = found.waiting.values()
    told = "log.csv: 5 bytes behind row 1 are no whole line and wait for their end: '1,1,1'. End that line,"
    assert tail.sentence("log.csv").startswith(told)
    log.add("7\n" + row(2) + "3,3,1")
    assert log.values("label") == [0, 17, 0]
    log.leave_alone()
    found = log.find(Rest(5.0, to_the_end=True))
    assert ([entry.rows for entry in found.entries], found.waiting) == ([1, 2, 1], {})


def test_in_an_experiment_all_that_rests_counts_at_once(log: Log) -> None:
    """Where nobody has written for long; what is no row is told, as ever."""
    log.add(HEAD + row(0) + "1,1,1")
    log.leave_alone()
    assert [entry.rows for entry in log.find(Rest(5.0, to_the_end=True)).entries] == [2]
    log.add("\n2,2")
    log.leave_alone(120)
    (misfit,) = log.find(Rest(5.0, to_the_end=True)).misfits.values()
    assert "Expected 3 columns, got 2" in misfit.sentences[0]


@pytest.mark.parametrize("head", ["", "time,x", HEAD.strip(), HEAD])
def test_a_file_without_rows_is_waited_for(log: Log, head: str) -> None:
    """Empty, or with some of its names: there is nothing to tell, and no key."""
    log.add(head)
    assert log.pieces() == []
    log.leave_alone()
    assert log.pieces() == []
    log.add(HEAD[len(head) :] + row(0))
    assert log.values() == [0]


@pytest.mark.parametrize("head", ["time,y,label\n", HEAD])
def test_an_entry_without_rows_decides_nothing(log: Log, head: str) -> None:
    """An experiment has found a file with names alone, or other ones; its rows come with those that it has then."""
    log.add(head)
    assert log.pieces(AT_ONCE_S) == [(0, -1)]
    log.path.write_text(HEAD)
    assert log.pieces() == [(0, -1)]
    log.add(row(0))
    assert log.pieces() == [(0, -1), (0, 0)]
    log.add(row(1))
    assert log.values() == [0, 1]
    log.forget()
    assert log.values() == [0, 1]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_row_that_goes_on_after_it_counted_stays_what_it_was(log: Log, end: str) -> None:
    """Its key is its own for ever. What comes up to the end of its line is not read; what is behind is."""
    log.add(HEAD + row(0) + "1,1,1")
    log.leave_alone()
    log.look()
    log.add("7")
    assert log.values("label") == [0, 1]
    log.add("5" + end + row(2))
    assert log.values("label") == [0, 1, 0]
    assert log.pieces() == [(0, 1), (2, 2)]
    log.forget()
    assert log.values("label") == [0, 1, 0]
    log.path.write_bytes(log.path.read_bytes().replace(b"1,1,175", b"1,1,275"))
    with pytest.raises(DataError, match="has changed"):
        log.look()


def test_a_line_end_that_comes_late_is_no_change(log: Log) -> None:
    """Alone it brings no row either."""
    log.add(HEAD + row(0).strip())
    assert log.values(at_rest_s=AT_ONCE_S) == [0]
    log.add("\r\n")
    assert log.pieces() == [(0, 0)]
    log.add(row(1))
    assert log.values() == [0, 1]


def test_of_a_large_file_evenly_spread_pieces_are_read_at_each_look() -> None:
    """About 1 GiB of them, the first and the last among them; one that is larger counts as what is read of it."""
    sizes = [3 << 30, *[100 << 20] * 40]
    ends = list(accumulate(sizes))
    pieces = [
        ManifestEntry(file="log.csv", rows=1, size_bytes=end, fingerprint="", first_key=0, first_byte=end - size)
        for end, size in zip(ends, sizes, strict=True)
    ]
    read = evenly_spread(pieces)
    assert (read[0], read[-1]) == (pieces[0], pieces[-1])
    assert len(read) == 9
    assert list(evenly_spread(pieces[1:11])) == pieces[1:11]


@pytest.mark.parametrize("place", [14, 27, 38])
def test_a_change_in_any_piece_is_told_at_the_next_look(log: Log, place: int) -> None:
    """In place, at the same size or with new lines behind; with the rows that it is in, and what to do."""
    for number in range(3):
        log.add((HEAD if not number else "") + rows(2 * number, 2 * number + 1))
        log.look()
    body = log.path.read_bytes()
    told = r"log\.csv has changed since its rows .*Restore it, then --resume\. Lines may be added at its end"
    for more in (b"", row(6).encode()):
        log.path.write_bytes(body[:place] + b"9" + body[place + 1 :] + more)
        with pytest.raises(DataError, match=told):
            log.look()
        with pytest.raises(DataError, match="has changed"):
            log.column("x", read_manifest(log.manifest))
    log.path.write_bytes(body)
    assert log.values() == list(range(6))


def test_a_log_that_is_begun_anew_is_told_what_to_do(log: Log) -> None:
    """Shorter, or as long as before: logs that are done keep their names."""
    log.add(HEAD + rows(*range(8)))
    log.look()
    log.path.rename(log.path.with_suffix(".1"))
    log.add(HEAD + row(9))
    with pytest.raises(DataError, match=r"it had 61 bytes and now has 19\. .*a log that is begun anew gets a new name"):
        log.look()
    log.add(rows(*range(20)))
    with pytest.raises(DataError, match=r"has changed since its rows .*a log that is begun anew gets a new name"):
        log.look()
    log.path.unlink()
    with pytest.raises(DataError, match=r"log\.csv has vanished"):
        log.look()


def test_what_is_no_bare_text_may_not_grow(tmp_path: Path) -> None:
    """Packed, or in an encoding whose line ends are no bytes of their own: new rows belong in new files."""
    log = Log(tmp_path)
    log.add((HEAD + row(0)).encode("utf-16"))
    changes = {"encoding": "utf-16"}
    assert log.values(**changes) == [0]
    log.add(row(1).encode("utf-16-le"))
    with pytest.raises(DataError, match=r"has changed: it had .*New rows belong in new files: only text that"):
        log.look(**changes)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8-sig", "koi8-r"])
def test_other_encodings_grow(log: Log, encoding: str) -> None:
    """All in which a line end is a byte that nothing else has."""
    log.add((HEAD + "0,é,0\n".replace("é", "ж" if encoding == "koi8-r" else "é")).encode(encoding))
    first = log.values(encoding=encoding)
    log.add("1,a,1\n")
    assert log.values(encoding=encoding) == [*first, "a"]


def test_later_pieces_may_be_wider(log: Log) -> None:
    """As later files may: fractions behind whole numbers, nulls; also where all of it is read at once."""
    log.add(HEAD + row(0))
    log.look()
    log.add("1,0.5,1\n2,,0\n")
    log.look()
    log.add("3,3,1\n")
    assert log.values() == [0, 0.5, None, 3]
    dataset = open_dataset(log.config(), log.look())
    assert problems(dataset) == []
    assert [dataset.timestamps_us(key, key + 1).tolist() for key in range(4)] == [[key * 1_000_000] for key in range(4)]


def test_a_row_that_cannot_be_used_is_told_by_key_and_file(log: Log) -> None:
    """Wherever in the file it is."""
    log.add(HEAD + row(0))
    log.look()
    log.add(row(1) + ",2,0\n")
    dataset = open_dataset(log.config(), log.look())
    with pytest.raises(DataError, match=r"of key 2 in .*log\.csv is null"):
        dataset.timestamps_us(0, 3)


def test_pieces_of_one_file_are_no_files_in_a_wrong_order(log: Log) -> None:
    """Rows that come late in a log are late rows; nobody is told to rename its pieces."""
    for number in range(3):
        log.add((HEAD if not number else "") + rows(10 * number + 5, 10 * number, 1))
        log.look()
    assert list(file_order_problems(open_dataset(log.config(), log.look()))) == []


def test_the_journal_alone_gives_the_pieces_back(log: Log) -> None:
    """Also where the file has grown since: the entries are what they were, but for what came."""
    for number in range(3):
        log.add((HEAD if not number else "") + row(number))
        before = log.look()
    for more in ("", row(3)):
        log.add(more)
        log.forget()
        entries = log.look()
        assert entries[:3] == tuple(msgspec.structs.replace(one, mark=entries[0].mark) for one in before)
    assert log.values() == [0, 1, 2, 3]


def test_a_mended_file_keeps_the_keys_of_its_pieces(log: Log) -> None:
    """Its rows get their bytes anew, however long they are now; what was added behind them gets new keys."""
    for number in range(3):
        log.add((HEAD if not number else "") + rows(2 * number, 2 * number + 1))
        known = log.look()
    mended = log.path.read_text().replace("\n2,2,", '\n2,"2222",').replace(row(0), "0,1000,0\n\n")
    log.path.write_text(mended)
    log.forget()
    assert log.values() == [1000, 1, 2222, 3, 4, 5]
    assert log.column("x", [one(log.look()[1])]) == [2222, 3]
    refuse_moved_keys(known, log.look(), log.manifest)
    log.add(row(6))
    log.forget()
    assert log.pieces() == [(0, 1), (2, 3), (4, 5), (6, 6)]


def test_an_empty_file_of_json_lines_grows(tmp_path: Path) -> None:
    """An experiment has given it an entry; without the manifest, too, it has the rows that it has now."""
    log = Log(tmp_path, "log.jsonl")
    log.add("")
    assert log.pieces(AT_ONCE_S) == [(0, -1)]
    log.add('{"time": 0, "x": 7, "label": 0}\n')
    log.forget()
    assert log.values() == [7]
    log.forget()
    assert log.values() == [7]


def test_a_file_is_mended_while_it_is_written_to(log: Log) -> None:
    """A row that was taken for whole and went on is what it is now; what comes behind it waits for its end."""
    log.add(HEAD + "0,1,")
    log.leave_alone()
    assert log.pieces() == [(0, 0)]
    log.add("0\n1")
    assert log.pieces() == [(0, 0)]
    log.forget()
    assert log.pieces() == [(0, 0)]
    log.add(",1,1\n")
    assert log.values("label") == [0, 1]


@pytest.mark.parametrize("times", [0, 2])
def test_a_mended_file_with_other_rows_is_refused(log: Log, times: int) -> None:
    """One less, or one more before the end: every later row would have another key."""
    log.add(HEAD + rows(0, 1))
    log.look()
    log.add(rows(2, 3))
    log.look()
    log.path.write_text(log.path.read_text().replace(row(1), row(1) * times))
    log.forget()
    with pytest.raises(DataError, match=r"log\.csv has [35] rows, but had 4 when they were given keys"):
        log.look()


def test_a_run_that_followed_other_pieces_is_told(log: Log) -> None:
    """The same rows with other keys are another dataset."""
    log.add(HEAD + rows(0, 1))
    known = log.look()
    log.add(row(2))
    now = log.look()
    refuse_moved_keys(known, now, log.manifest)
    with pytest.raises(DataError, match="gives other keys than this run has followed"):
        refuse_moved_keys(now, known, log.manifest)


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl"])
def test_a_file_is_read_while_it_grows(tmp_path: Path, name: str) -> None:
    """New lines are no change to who reads those before them; a change in these is."""
    log = Log(tmp_path, name)
    lines = [row(number) if name.endswith("csv") else f'{{"time":{number},"label":0}}\n' for number in range(300_000)]
    log.add((HEAD if name.endswith("csv") else "") + "".join(lines))
    dataset = open_dataset(log.config(), log.look())
    read = 0
    for _, piece in dataset.batches(["time"], 0, dataset.rows):
        log.add(lines[0])
        read += piece.num_rows
    assert read == 300_000
    batches = dataset.batches(["time"], 0, dataset.rows)
    next(batches)
    body = log.path.read_bytes()
    log.path.write_bytes(body[:1_000] + b"7" + body[1_001:] + lines[0].encode())
    with pytest.raises(DataError, match="has changed"):
        list(batches)


def test_a_last_line_rests_for_five_seconds_at_least() -> None:
    """A log that is written to every second is not cut in the middle of a line by who looks more often."""
    assert [rest_s(0.1), rest_s(5), rest_s(60)] == [5, 5, 60]


TOGETHER = [
    ("csv", "2", "true"),
    ("csv", "true", "7"),
    ("csv", "2024-01-01T10:00:00Z", "2024-01-01 10:00:00"),
    ("csv", "3", "0x1F"),
    ("csv", "3", "9223372036854775808"),
    ("csv", "", "2024-01-01T10:00:00Z"),
    ("jsonl", "true", "7"),
    ("jsonl", "2.5", "false"),
    ("jsonl", "null", "true"),
]


@pytest.mark.parametrize(("kind", "one", "other"), TOGETHER)
def test_what_is_judged_in_pieces_is_read_together(tmp_path: Path, kind: str, one: str, other: str) -> None:
    """Each row is the same, whichever rows are read with it, and whatever kinds of values came before and after."""
    log = Log(tmp_path, f"log.{kind}")
    for number, value in enumerate([one, one, other, one, other, one]):
        line = f"{number},{value},0\n" if kind == "csv" else f'{{"time": {number}, "x": {value}, "label": 0}}\n'
        log.add((HEAD if kind == "csv" and not number else "") + line)
        found = find(log.config(), str(tmp_path / "runs"), (), Rest(5.0))
        assert (found.misfits, len(found.entries)) == ({}, number + 1)
    dataset = open_dataset(log.config(), found.entries)
    read: dict[int, set[float | None]] = {}
    for first_key, stop_key in combinations(range(7), 2):
        for key, piece in dataset.batches(["x"], first_key, stop_key):
            values = days(piece["x"]) if kind_of(piece["x"].type) == "time" else piece["x"].cast("float64")
            for place, value in enumerate(values.to_pylist()):
                read.setdefault(key + place, set()).add(value)
    assert [len(read[key]) for key in range(6)] == [1] * 6
    assert {*read[2]} != {*read[1]} or other.startswith("2024")

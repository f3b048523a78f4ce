"""Files that are not read: an event when they are others than before, each told once, also after a restart."""

from __future__ import annotations

import fcntl
import logging
from itertools import count
from pathlib import Path

import msgspec
import pytest
from workplace import Workplace

from shared.config.load import load_configuration
from shared.dataset.discovery import Found, find
from shared.dataset.growth import Tail
from shared.dataset.judging import Misfit
from shared.dataset.listing import Listing
from shared.dataset.manifest import manifest_path
from shared.dataset.table import open_dataset
from shared.errors import DataError, PlaceError
from shared.ids import RunId
from supervisor.core.events import NotRead, RunStarted, event_of
from supervisor.core.notices import FileNotRead, FileReadNow, MoreNotRead, Notice, NotInTheWay
from supervisor.core.seen import Unread
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.listen.run_log import RunLog
from supervisor.run.observe.not_read import NotReadFiles
from supervisor.run.observe.observer import Observer
from supervisor.system.unread import Telling

ROW = b"timestamp,x,label\n2024-01-01,1,0\n"


class Following:
    """A run that follows a folder with one file, as far as files are concerned."""

    def __init__(self, small: Workplace) -> None:
        self.folder = small.folder / "rows"
        self.folder.mkdir()
        self.write("a.csv", ROW)
        small.config["storage"]["datasets"]["rows"] = {"uri": "rows"}
        small.write()
        files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
        configuration = load_configuration(*files, experiment_mode=False)
        self.pipeline, self.config = configuration.pipeline, configuration.system.datasets["rows"]
        self.artifacts = str(small.folder / "runs")
        self.state = RunState(settings=Settings.of(self.pipeline))
        about = {"first_key": 0, "stop_key": None, "maximum_triggers": None}
        self.tell(RunStarted(time_us=0, run_id=RunId("run"), mode="production", **about))
        self.restart()

    def write(self, name: str, content: bytes) -> None:
        """A file is there."""
        (self.folder / name).write_bytes(content)

    def restart(self) -> None:
        """Another supervisor goes on with what the journal says."""
        dataset = open_dataset(self.config, find(self.config, self.artifacts, ()).entries)
        self.observer = Observer(self.pipeline, dataset, self.state)

    def tell(self, *events) -> list[Notice]:
        """What these events mean."""
        notices = []
        for event in events:
            self.state, _, more = transition(self.state, event)
            notices += more
        return notices

    def look(self) -> list[Notice]:
        """What is noticed at a look."""
        return self.tell(*self.observer.discover(self.artifacts))


@pytest.fixture
def following(small: Workplace) -> Following:
    """A run that has read one file."""
    return Following(small)


def test_a_bad_file_is_told_once_and_again_when_it_is_read(following: Following) -> None:
    """Another reason is told too; the words of a reader, which change as a file grows, are not."""
    file = str(following.folder / "b.csv")
    following.write("b.csv", b"timestamp,x,label\n2024-01-02,1\n")
    (told,) = following.look()
    assert isinstance(told, FileNotRead)
    assert (told.file, "Expected 3 columns, got 2" in told.sentence) == (file, True)
    following.write("b.csv", b"timestamp,x,label\n2024-01-02,1,0\n2024-01-02,1,0,5,6\n")
    assert following.look() == following.look() == []
    assert "got 5" in following.state.unread.named[file]
    following.write("b.csv", b"timestamp,x,label\n2024-01-02,1,\n")
    (told,) = following.look()
    assert (type(told), "of row 1 is null" in told.sentence) == (FileNotRead, True)
    following.restart()
    assert following.look() == []
    following.write("b.csv", ROW)
    assert following.look() == [FileReadNow(file=file, rows=1)]
    assert following.state.unread == Unread()


def test_a_place_that_is_away_is_told_once_and_found_again(following: Following) -> None:
    """As a share may be for a minute: what had keys is there again later."""
    following.write("b.csv", b"")
    assert len(following.look()) == 1
    following.folder.rename(following.folder.with_name("elsewhere"))
    following.folder.symlink_to("rows")
    (told,) = following.look()
    assert (told.file, "cannot be looked into" in told.sentence) == (str(following.folder), True)
    assert following.look() == []
    assert len(following.state.unread.named) == 2
    following.folder.unlink()
    following.folder.with_name("elsewhere").rename(following.folder)
    assert following.look() == [NotInTheWay(file=str(following.folder))]
    assert list(following.state.unread.named) == [str(following.folder / "b.csv")]


def test_a_folder_that_is_away_is_told_and_what_lay_in_it_stays_told(following: Following) -> None:
    """The run goes on with the rest; of what is bad below it nothing is known meanwhile."""
    folder, elsewhere = following.folder / "m", following.folder.with_name("elsewhere")
    folder.mkdir()
    following.write("m/b.csv", ROW)
    following.write("m/c.csv", b"")
    assert [type(told) for told in following.look()] == [FileNotRead]
    folder.rename(elsewhere)
    following.write("d.csv", ROW)
    (told,) = following.look()
    assert (told.file, "is not there; it holds rows that have keys" in told.sentence) == (str(folder), True)
    assert following.observer.rows == 3
    assert following.look() == []
    assert list(following.state.unread.named) == [str(folder), str(folder / "c.csv")]
    elsewhere.rename(folder)
    following.look()
    assert list(following.state.unread.named) == [str(folder / "c.csv")]


def test_a_file_that_another_run_gave_keys_and_that_does_not_fit(following: Following, small: Workplace) -> None:
    """Keys are for ever, so that this run cannot pass it over: it ends, and says why, and what to do."""
    small.config["storage"]["datasets"]["rows"]["features"] = ["z"]
    small.write()
    other = load_configuration(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=False)
    following.write("b.csv", b"timestamp,z,label\n2024-01-02,1,0\n")
    assert len(following.look()) == 1
    find(other.system.datasets["rows"], following.artifacts, None)
    with pytest.raises(
        DataError, match=r"b\.csv has keys, which another run gave it, .* has no column x; .*another name"
    ):
        following.look()


def bad(*names: str, why: str = "unreadable") -> Found:
    """A look that finds these."""
    return Found((), 0, {name: Misfit(why, (f"{name} is bad",)) for name in names}, Listing({}, {}, {}))  # type: ignore[arg-type]


def test_many_bad_files_are_counted_and_the_first_named(following: Following) -> None:
    """Who was named stays so while others come, and nothing of it is told again."""
    files, names = NotReadFiles(Unread()), [f"m{number:02}" for number in range(30)]
    notices = following.tell(files.after(bad(*names)))
    assert [one.file for one in notices if isinstance(one, FileNotRead)] == names[:20]
    assert [one.files for one in notices if isinstance(one, MoreNotRead)] == [30]
    assert following.tell(files.after(bad("a", *names))) == []
    assert following.state.unread.files == 31
    assert files.after(bad("a", *names)) is None
    told = following.tell(files.after(bad("a", *names[1:])))
    assert [(type(one), one.file) for one in told] == [(FileNotRead, "a"), (NotInTheWay, "m00")]


def test_a_file_that_is_written_to_is_told_when_that_goes_on(following: Following) -> None:
    """At each look for a minute: producers take their time."""
    clock = count(0, 20)
    files = NotReadFiles(Unread(), lambda: next(clock))
    assert [files.after(bad("a", why="unfinished")) for _ in range(3)] == [None] * 3
    assert files.after(bad()) is None
    assert [files.after(bad("a", why="unfinished")) for _ in range(3)] == [None] * 3
    (told,) = following.tell(files.after(bad("a", why="unfinished")))
    assert told == FileNotRead(file="a", sentence="a is bad")


def waiting(size_bytes: int, first_byte: int = 19) -> Found:
    """A look that finds a log with an end that is no whole line."""
    return Found((), 0, {}, Listing({}, {}, {}), {"a": Tail(first_byte, size_bytes, 1, "2,2")})


def test_an_end_of_a_line_that_waits_for_long_is_told(following: Following) -> None:
    """After a minute; what is written all the time is never told."""
    clock = count(0, 20)
    files = NotReadFiles(Unread(), lambda: next(clock))
    assert [files.after(waiting(3, look)) for look in range(30)] == [None] * 30
    assert [files.after(waiting(3)) for _ in range(3)] == [None] * 3
    (told,) = following.tell(files.after(waiting(3)))
    assert told.sentence == (
        "a: 3 bytes behind row 1 are no whole line and wait for their end: '2,2'. End that line, or take it out."
    )
    assert following.tell(files.after(waiting(4))) == []
    assert following.tell(files.after(bad())) == [NotInTheWay(file="a")]


def test_a_file_that_has_keys_has_to_stay(following: Following) -> None:
    """What is wrong behind them is to be mended where it stands, as rows behind it wait."""
    log = following.folder / "a.csv"
    for line, wrong in ((b"2024-01-02,1,\n", "row 2 is null"), (b"2024-01-02,1,0,5\n", "Expected 3 columns, got 4")):
        log.write_bytes(ROW + line)
        (told,) = following.look()
        assert wrong in told.sentence
        assert "Mend that in its place: the rows behind it wait for it, and the file has to stay" in told.sentence


def test_the_log_tells_of_files(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """That one is not read is a warning, that it is read now is none."""
    caplog.set_level(logging.INFO)
    file, log = f"{tmp_path}/a.csv", RunLog(RunId("run"))
    for told in (
        FileNotRead(file=file, sentence=f"{file} is bad"),
        MoreNotRead(files=30),
        FileReadNow(file=file, rows=1000),
        NotInTheWay(file=file),
    ):
        log.hear(told)
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("WARNING", f"! not read, and looked at again: {file} is bad"),
        ("WARNING", "! 30 files are not read; not all of them are named"),
        ("INFO", f"{file} is read now: 1,000 rows"),
        ("INFO", f"{file} is no longer in the way"),
    ]


def test_what_was_said_before_a_run_is_said_once_and_again_when_it_happens_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also by a second run in the same process; and while the first rows were waited for."""
    caplog.set_level(logging.INFO)
    for _ in range(2):
        telling = Telling()
        for found in (bad("a"), bad("a"), bad(), bad("a")):
            telling.not_read(found)
        log = RunLog(RunId("run"), telling)
        log.hear(FileNotRead(file="a", sentence="a is bad"))
        log.hear(NotInTheWay(file="a"))
        log.hear(FileNotRead(file="a", sentence="a is bad"))
    once = ["! not read, and looked at again: a is bad"]
    assert [one.getMessage() for one in caplog.records] == [*once * 2, "a is no longer in the way", *once] * 2


def test_what_is_no_data_is_told_again_when_it_comes_again(
    following: Following, caplog: pytest.LogCaptureFixture
) -> None:
    """Not at each look meanwhile."""
    for _ in range(2):
        following.write("notes.txt", b"")
        following.look()
        following.look()
        (following.folder / "notes.txt").unlink()
        following.look()
    assert [" notes.txt: not read, as only" in one.getMessage() for one in caplog.records] == [True, True]


def test_the_event_is_small_and_lasts() -> None:
    """What the journal has of it is read back as it was."""
    event = NotRead(time_us=1, unread=Unread(unreadable={"a": "b"}, unfit={"c": "d"}, more=3))
    assert event_of(msgspec.json.encode(event)) == event
    assert (event.unread.files, event.unread.named) == (5, {"a": "b", "c": "d"})


def test_another_supervisor_that_looks_for_long_holds_nobody_up(following: Following) -> None:
    """Its hold on the manifest is told, and what comes meanwhile is read when it is over."""
    path = manifest_path(following.artifacts, "rows")
    with path.open("ab") as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX)
        following.write("d.csv", ROW)
        with pytest.raises(PlaceError, match="is held by another process that gives keys .* for more than 0.1 s"):
            find(following.config, following.artifacts, (), patience_s=0.1)
    following.look()
    assert following.observer.rows == 2

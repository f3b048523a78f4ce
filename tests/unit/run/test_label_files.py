"""Files of labels are found at each look, journaled with the row that was next, and told of as others are."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from late_labels import LABELS, ROWS, LateLabels
from workplace import Workplace

from shared.dataset.discovery import discover, find
from shared.dataset.labels_table import labels_table
from shared.dataset.manifest import manifest_path, read_manifest
from shared.dataset.table import open_dataset
from shared.errors import DataError
from shared.ids import RunId
from shared.messages.setup_record import SetupRecord
from shared.timestamps import parse_timestamp_us
from supervisor.core.events import AnyEvent, Discovered, LabelsDiscovered, NotRead, RunStarted, event_of
from supervisor.core.notices import FileNotRead, FileReadNow, Notice, NotInTheWay
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.stream import LabelFind
from supervisor.core.transition import transition
from supervisor.run.directory import RunDirectory
from supervisor.run.journal import Journal
from supervisor.run.observe.label_files import LabelFiles
from supervisor.run.observe.observer import Observer
from supervisor.run.start.first_events import Recorded, Scope, first_events, undiscovered_labels
from supervisor.run.start.recovery import recover
from supervisor.system.setup import setup_record
from supervisor.system.unread import Telling


class Following:
    """A production run that follows rows and labels, as far as files are concerned."""

    def __init__(self, late: LateLabels) -> None:
        self.late, configuration = late, late.configuration()
        self.pipeline = configuration.pipeline
        self.state = RunState(settings=Settings.of(self.pipeline))
        self.journal: list[AnyEvent] = []
        about = {"first_key": 0, "stop_key": None, "maximum_triggers": None}
        self.tell(RunStarted(time_us=0, run_id=RunId("run"), mode="production", **about))
        self.begin()

    def begin(self) -> None:
        """A supervisor goes on with what there is."""
        self.labels = LabelFiles(self.late.labels(), Telling())
        self.observer = Observer(self.pipeline, self.late.rows(), self.state, labels=self.labels)

    def tell(self, *events: AnyEvent) -> list[Notice]:
        """What these events mean."""
        notices = []
        for event in events:
            self.journal.append(event)
            self.state, _, more = transition(self.state, event)
            notices += more
        return notices

    def look(self) -> list[Notice]:
        """What is noticed at a look."""
        return self.tell(*self.observer.discover(self.late.root))

    def observe(self) -> None:
        """All rows that are there."""
        while not self.observer.at_end:
            event = self.observer.observe(self.state)
            self.tell(*([event] if event else []))

    @property
    def finds(self) -> list[LabelsDiscovered]:
        """Those of the journal."""
        return [event for event in self.journal if isinstance(event, LabelsDiscovered)]


@pytest.fixture
def following(small: Workplace) -> Following:
    """With two rows, and no label yet."""
    late = LateLabels(small)
    late.write("rows/a.csv", ROWS)
    return Following(late)


def names(event: Discovered | LabelsDiscovered) -> list[str]:
    """Of its files."""
    return [Path(entry.file).name for entry in event.entries]


def test_labels_are_found_before_the_row_that_is_next(following: Following) -> None:
    """Each find says which row was to be observed next, and event time then; the state adds up to that."""
    late = following.late
    late.write("labels/a.csv", LABELS)
    following.look()
    following.observe()
    late.write("labels/b.csv", LABELS)
    following.look()
    late.write("labels/c.csv", LABELS)
    following.look()
    assert [names(one) for one in following.finds] == [["a.csv"], ["b.csv"], ["c.csv"]]
    at = parse_timestamp_us("2024-01-02")
    assert [(one.from_key, one.event_time_us) for one in following.finds] == [(0, None), (2, at), (2, at)]
    assert [entry.first_key for one in following.finds for entry in one.entries] == [0, 2, 4]
    assert list(following.state.stream.label_finds.values()) == [LabelFind(2, 0), LabelFind(6, 2)]
    assert following.labels.rows == 6
    assert all(event_of(msgspec.json.encode(one)) == one for one in following.finds)


def test_rows_and_labels_of_one_look(following: Following) -> None:
    """New rows are journaled before the labels that may be theirs; a look that finds nothing says nothing."""
    following.late.write("labels/a.csv", LABELS)
    following.late.write("rows/b.csv", ROWS)
    events = following.observer.discover(following.late.root)
    assert [type(event) for event in events] == [Discovered, LabelsDiscovered]
    assert following.observer.discover(following.late.root) == []


def test_the_label_rows_of_a_find_can_be_read(following: Following) -> None:
    """From the position on at which the finds before it end."""
    following.late.write("labels/a.csv", LABELS)
    following.look()
    before = following.labels.rows
    following.late.write("labels/b.csv", b"id,label,known_at\n7,1,2024-02-01\n")
    following.look()
    (piece,) = following.labels.read(before)
    assert (piece.first_position, piece.keys.to_pylist(), piece.labels.to_pylist()) == (2, [{"id": 7}], [1])
    assert sum(piece.keys.num_rows for piece in following.labels.read(0, 2)) == 2


def test_a_log_of_labels_grows(following: Following) -> None:
    """Its new lines are a find, with positions behind those before."""
    log = following.late.write("labels/a.csv", LABELS)
    following.look()
    log.write_bytes(LABELS + b"9,1,2024-03-01\n")
    following.look()
    assert [(one.entries[0].first_key, one.entries[0].first_row) for one in following.finds] == [(0, 0), (2, 2)]


def test_labels_that_cannot_be_read_are_told_once_and_looked_at_again(following: Following) -> None:
    """Beside rows that cannot; each is news when it is mended."""
    late = following.late
    late.write("labels/bad.csv", b"id,label,known_at\n1,0,\n2,0,2024-01-06\n")
    late.write("rows/bad.csv", b"timestamp,x\n2024-01-03,1\n")
    told = following.look()
    assert sorted(Path(one.file).name for one in told if isinstance(one, FileNotRead)) == ["bad.csv", "bad.csv"]
    assert sum("known_at of row 1 in" in one.sentence for one in told if isinstance(one, FileNotRead)) == 1
    assert following.look() == []
    late.write("labels/bad.csv", b"id,label,known_at\n1,0,2024-01-05\n")
    told = following.look()
    assert told == [FileReadNow(file=f"{late.folder}/labels/bad.csv", rows=1)]
    assert list(following.state.unread.named) == [f"{late.folder}/rows/bad.csv"]
    (late.folder / "rows/bad.csv").unlink()
    assert following.look() == [NotInTheWay(file=f"{late.folder}/rows/bad.csv")]
    assert following.state.unread.files == 0


@pytest.mark.parametrize("away", ["rows", "labels"])
def test_a_place_that_is_away_hides_nothing_of_the_other(following: Following, away: str) -> None:
    """What is in the other is told as ever; what was told of the one that is away stays so until it is back."""
    late, other = following.late, "labels" if away == "rows" else "rows"
    bad = {name: str(late.write(f"{name}/bad.csv", b"z\n1\n")) for name in (away, other)}
    following.look()
    assert set(following.state.unread.named) == set(bad.values())
    (late.folder / away).chmod(0)
    (late.folder / away).rename(late.folder / "elsewhere")
    (late.folder / away).symlink_to(away)
    Path(bad[other]).unlink()
    following.look()
    named = following.state.unread.named
    assert bad[other] not in named
    assert bad[away] in named or any("cannot be" in why or "is not there" in why for why in named.values())
    (late.folder / away).unlink()
    (late.folder / "elsewhere").rename(late.folder / away)
    (late.folder / away).chmod(0o755)
    following.look()
    assert list(following.state.unread.named) == [bad[away]]


def test_labels_that_changed_end_the_run(following: Following) -> None:
    """They have positions, which are for ever."""
    log = following.late.write("labels/a.csv", LABELS)
    following.look()
    log.write_bytes(LABELS.replace(b"1,0,", b"1,1,"))
    with pytest.raises(
        DataError, match=r"a.csv has changed since its rows were given keys.*of labels NAME.labels.jsonl"
    ):
        following.look()


def test_what_another_run_has_found_is_taken_as_it_is(following: Following) -> None:
    """Positions are shared, as keys are; labels that do not fit this run's rows cannot be."""
    late = following.late
    late.write("labels/a.csv", LABELS)
    discover(labels_table(late.config), late.root)
    following.look()
    assert [names(one) for one in following.finds] == [["a.csv"]]
    (late.folder / "labels/b.csv").write_bytes(LABELS.replace(b"\n1,", b"\none,"))
    find(labels_table(late.config), late.root, None)
    with pytest.raises(DataError, match="b.csv has keys, which another run gave it, and does not fit this one"):
        following.look()


def record(late: LateLabels) -> SetupRecord:
    """Of a run that begins."""
    return setup_record(late.configuration(), RunId("run"), str(late.folder), late.root, serves=False)


@pytest.mark.parametrize(
    ("mode", "from_key", "event_time"),
    [("replay", 0, None), ("ignore", 2, None), ("train_on_everything", 0, "2024-01-02")],
)
def test_labels_that_are_there_when_a_run_begins(
    following: Following, mode: str, from_key: int, event_time: str | None
) -> None:
    """They are known of before the first row that is followed, or before all rows that are taken at once."""
    late = following.late
    late.write("labels/a.csv", LABELS)
    late.place.pipeline["initial_mode"] = mode
    pipeline, labels = late.configuration().pipeline, late.labels()
    events = first_events(pipeline, Scope(experiment=False), Recorded(late.rows(), labels), record(late), "cpu", {})
    started, rows, found = events
    assert (type(started), type(rows)) == (RunStarted, Discovered)
    assert isinstance(started, RunStarted)
    assert started.labels_position == 2
    assert isinstance(found, LabelsDiscovered)
    expected = None if event_time is None else parse_timestamp_us(event_time)
    assert (names(found), found.from_key, found.event_time_us) == (["a.csv"], from_key, expected)


@pytest.mark.parametrize("mode", ["production", "experiment"])
def test_labels_that_come_between_sessions(following: Following, mode: str) -> None:
    """A run that follows them finds them before the row that is next; a replay has those that were there when it began,
    also if it was killed before that was journaled.
    """
    late = following.late
    late.write("labels/a.csv", LABELS)
    about = {"first_key": 0, "stop_key": None, "maximum_triggers": None, "labels_position": 2}
    begun = RunStarted(time_us=0, run_id=RunId("run"), mode=mode, **about)  # type: ignore[arg-type]
    following.state = transition(RunState(settings=Settings.of(following.pipeline)), begun)[0]
    late.labels()
    late.write("labels/b.csv", LABELS)
    table = late.labels()
    events = undiscovered_labels(following.state, 0, table)
    found = [(names(one), one.from_key) for one in events if isinstance(one, LabelsDiscovered)]
    assert found == [(["a.csv"], 0), (["b.csv"], 0)][: 1 if mode == "experiment" else 2]
    state = following.state.with_stream(observed_key=1, event_time_us=7)
    (*_, last) = undiscovered_labels(state, 0, table)
    assert isinstance(last, LabelsDiscovered)
    assert (last.from_key, last.event_time_us) == ((0, None) if mode == "experiment" else (2, 7))
    assert undiscovered_labels(state, 2, table) == []


def test_the_journal_alone_gives_positions_again(following: Following) -> None:
    """A manifest that was lost is written back on resume, and labels go on behind."""
    late = following.late
    late.write("labels/b.csv", LABELS)
    following.look()
    late.write("labels/a.csv", LABELS)
    following.look()
    directory = RunDirectory(late.folder / "run")
    directory.create(late.configuration())
    journal = Journal(directory.journal_path)
    rows = Discovered(time_us=0, entries=late.rows().entries)
    journal.append([following.journal[0], rows, *following.finds])
    journal.close()
    path = manifest_path(late.root, "rows.labels")
    before = read_manifest(path)
    path.unlink()
    recovered = recover(late.configuration(), directory)
    assert recovered.label_entries == before
    assert recovered.state.stream.label_finds == following.state.stream.label_finds
    found = find(labels_table(late.config), late.root, ())
    assert [(one.file, one.first_key, one.fingerprint) for one in found.entries] == [
        (one.file, one.first_key, one.fingerprint) for one in before
    ]
    directory.release()


def test_a_manifest_that_gives_other_positions_is_refused_on_resume(following: Following) -> None:
    """As one that gives other keys is."""
    late = following.late
    late.write("labels/b.csv", LABELS)
    following.look()
    directory = RunDirectory(late.folder / "run")
    directory.create(late.configuration())
    journal = Journal(directory.journal_path)
    journal.append([following.journal[0], *following.finds])
    journal.close()
    manifest_path(late.root, "rows.labels").unlink()
    late.write("labels/a.csv", LABELS)
    discover(labels_table(late.config), late.root)
    with pytest.raises(DataError, match=r"rows\.labels\.jsonl gives other keys than this run has followed"):
        recover(late.configuration(), directory)
    directory.release()


def test_a_run_without_such_labels_says_nothing_of_them(small: Workplace) -> None:
    """Neither its first events nor its looks."""
    late = LateLabels(small)
    small.config["storage"]["datasets"]["rows"] = {"uri": "rows"}
    late.write("rows/a.csv", b"timestamp,label,x\n2024-01-01,1,0.5\n")
    dataset = open_dataset(late.config, find(late.config, late.root, ()).entries)
    scope = Scope(experiment=False)
    events = first_events(late.configuration().pipeline, scope, Recorded(dataset), record(late), "cpu", {})
    assert [type(event) for event in events] == [RunStarted, Discovered]
    assert isinstance(events[0], RunStarted)
    assert events[0].labels_position is None
    assert not any(isinstance(event, NotRead) for event in events)

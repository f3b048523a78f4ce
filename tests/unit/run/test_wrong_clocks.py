"""Rows dated later than they can be: what is followed, triggered and told as if they had the time before them."""

from __future__ import annotations

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from begun import BEGUN
from workplace import HOUR_US, Workplace

from shared.config.load import load_configuration
from shared.config.pipeline import Trigger
from shared.dataset.discovery import discover
from shared.dataset.manifest import manifest_path, read_manifest
from shared.dataset.table import open_dataset
from shared.errors import ConfigurationError, DataError, NotReadyError
from shared.ids import RunId
from shared.messages.reports import Detected
from shared.messages.setup_record import SetupRecord
from shared.timestamps import parse_timestamp_us
from supervisor.core.events import Reported, RunStarted
from supervisor.core.seen import Misdated
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.observe.observer import Observer
from supervisor.run.start.first_events import Recorded, Scope, first_events

FAR_US = parse_timestamp_us("2191-01-01")


class Stream:
    """Files with rows at these hours; at hour None they are of 2191. A trigger every eight hours, a slice every six."""

    def __init__(self, folder, *files, mode="replay", skew=None):
        self.folder, self.files = folder, 0
        self.small = Workplace.small(folder)
        self.small.pipeline |= {"trigger": {"policy": "time", "every": "8h"}, "initial_mode": mode}
        self.small.pipeline["evaluation"]["on"][2:] = [{"name": "six", "window": {"every": "6h"}}]
        self.small.config["storage"]["datasets"]["rows"]["uri"] = "stream"
        if skew is not None:
            self.small.config["storage"]["datasets"]["rows"]["future_skew"] = skew
        self.small.write()
        configuration = load_configuration(folder / "pipeline.yaml", folder / "config.yaml", experiment_mode=False)
        self.pipeline, self.config = configuration.pipeline, configuration.system.datasets["rows"]
        (folder / "stream").mkdir()
        for hours in files:
            self.add(hours)

    def add(self, hours):
        """One more file."""
        times = [FAR_US if hour is None else hour * HOUR_US for hour in hours]
        moments = pa.array(times, pa.timestamp("us", tz="UTC"))
        self.files += 1
        pq.write_table(
            pa.table({"timestamp": moments, "label": [0] * len(hours)}), self.folder / f"stream/{self.files:09}.parquet"
        )

    def dataset(self):
        """The rows that are there."""
        return open_dataset(self.config, discover(self.config, str(self.folder / "runs")))

    def start(self, mode="experiment"):
        """The state of a run that has just begun."""
        about = {"first_key": 0, "stop_key": None, "maximum_triggers": None}
        started = RunStarted(time_us=0, run_id=RunId("run"), mode=mode, **about)
        return transition(RunState(settings=Settings.of(self.pipeline)), started)[0]


def follow(observer, *, end=True):
    """The events of all rows that are there."""
    events = []
    while not observer.at_end:
        events.append(observer.observe(BEGUN))
    return [event for event in [*events, observer.end() if end else None] if event is not None]


def told(events):
    """Triggers and slices: keys, and event times."""
    fired = [(one.key, one.timestamp_us) for event in events for one in getattr(event, "triggers", ())]
    return fired, [piece for event in events for piece in event.slices]


def fold(state, events):
    """The state after these events, and the names of what was noticed on the way."""
    names = []
    for event in events:
        state, _, notices = transition(state, event)
        names += [type(notice).__name__ for notice in notices]
    return state, names


def test_one_row_from_the_future_changes_no_trigger_and_no_slice(tmp_path):
    """They are those of the same rows with that one dated as the row before it; it is counted, with key and file."""
    hours = [*range(20), None, *range(21, 40)]
    (tmp_path / "right").mkdir()
    right = Stream(tmp_path / "right", [19 if hour is None else hour for hour in hours])
    expected = told(follow(Observer(right.pipeline, right.dataset(), right.start())))
    assert len(expected[0]) == 4
    (tmp_path / "wrong").mkdir()
    wrong = Stream(tmp_path / "wrong", hours)
    dataset = wrong.dataset()
    events = follow(Observer(wrong.pipeline, dataset, wrong.start()))
    assert told(events) == expected
    (entry,) = dataset.entries
    latest_us = entry.discovered_us + 24 * HOUR_US
    assert events[-1].misdated == Misdated(rows=1, key=20, file=entry.file, timestamp_us=FAR_US, latest_us=latest_us)


def test_rows_before_the_first_that_can_be_right_take_its_time(tmp_path):
    """The stream begins with it, and so do the first slice and the clock of the triggers."""
    stream = Stream(tmp_path, [None, None, *range(5, 25)])
    events = follow(Observer(stream.pipeline, stream.dataset(), stream.start()))
    fired, slices = told(events)
    assert fired == [(9, 12 * HOUR_US), (17, 20 * HOUR_US)]
    assert [(piece.first_key, piece.start_us // HOUR_US) for piece in slices] == [(0, 5), (8, 11), (14, 17), (20, 23)]
    assert (events[-1].began_us, events[-1].event_time_us) == (5 * HOUR_US, 24 * HOUR_US)
    assert (events[-1].misdated.rows, events[-1].misdated.key) == (2, 0)


def test_rows_of_a_bad_clock_alone_wait_for_one_that_can_be_right(tmp_path):
    """They are told, but not followed; with the first that can be right they are, and counted once."""
    stream = Stream(tmp_path, [None] * 3, mode="replay")
    observer = Observer(stream.pipeline, stream.dataset(), state := stream.start("production"))
    (waiting,) = follow(observer, end=False)
    assert (waiting.key, waiting.event_time_us, waiting.misdated.rows) == (-1, None, 3)
    assert observer.at_end
    stream.add([None, 1, 2, 10, None])
    observer.discover(str(tmp_path / "runs"))
    assert not observer.at_end
    events = follow(observer)
    assert told(events)[0] == [(5, 2 * HOUR_US)]
    assert events[-1].misdated.rows == 5
    state, names = fold(state, [waiting, *events])
    assert names.count("RowsMisdated") == 1
    assert (state.stream.misdated.rows, state.stream.observed_key) == (5, 7)


def test_after_a_restart_they_are_judged_and_counted_as_before(tmp_path):
    """Told once a run, not once a session; triggers and the count are as if nothing had happened."""
    stream = Stream(tmp_path, [*range(9), None], [9, None, *range(10, 26)])
    whole = follow(Observer(stream.pipeline, stream.dataset(), stream.start()))
    expected, _ = fold(stream.start(), whole)
    before, names = fold(stream.start(), whole[:1])
    after, more = fold(before, follow(Observer(stream.pipeline, stream.dataset(), before)))
    assert (names + more).count("RowsMisdated") == 1
    assert after.stream == expected.stream
    assert [trigger.fired for _, trigger in sorted(after.triggers.items())] == [
        trigger.fired for _, trigger in sorted(expected.triggers.items())
    ]


def test_a_greater_skew_lets_them_count(tmp_path):
    """`future_skew` says how far ahead a clock may be: here 300 years, and the stream ends in 2191."""
    stream = Stream(tmp_path, [1, 2, None], skew="109500d")
    events = follow(Observer(stream.pipeline, stream.dataset(), stream.start()))
    assert (events[-1].event_time_us, events[-1].misdated) == (FAR_US, None)


@pytest.mark.parametrize(
    ("bounds", "keys"),
    [
        ((None, None), (0, 8)),
        ((5, None), (0, 8)),
        ((6, None), (3, 8)),
        ((None, 7), (0, 5)),
        ((6, 100), (3, 8)),
        ((8, None), (6, 8)),
    ],
)
def test_a_replay_begins_and_ends_where_event_time_does(tmp_path, bounds, keys):
    """Rows dated too late are where event time is when they come."""
    stream = Stream(tmp_path, [None, 5, None, 6, None, 7, 8, None])
    start_us, stop_us = (None if hour is None else hour * HOUR_US for hour in bounds)
    scope = Scope(experiment=True, start_replay_us=start_us, stop_replay_us=stop_us)
    (started, _) = beginning(stream, scope)
    assert (started.first_key, started.stop_key) == keys


def test_a_replay_of_nothing_tells_the_times_that_can_be(tmp_path):
    """The span that is told is that of event time."""
    stream = Stream(tmp_path, [None, 5, None, 6, None])
    scope = Scope(experiment=True, start_replay_us=7 * HOUR_US)
    with pytest.raises(ConfigurationError, match="rows goes from 1970-01-01T05.* to 1970-01-01T06"):
        beginning(stream, scope)


@pytest.mark.parametrize(("experiment", "mode"), [(True, "replay"), (False, "train_on_everything")])
def test_without_a_row_that_can_be_right_nothing_begins(tmp_path, experiment, mode):
    """A replay and a training on all that exists are refused, with the first row and the key to raise."""
    stream = Stream(tmp_path, [None, None], mode=mode)
    with pytest.raises(NotReadyError, match=r"all rows are dated too late .*storage\.datasets\.rows\.future_skew"):
        beginning(stream, Scope(experiment=experiment))


def test_a_training_on_everything_has_the_latest_time_that_can_be(tmp_path):
    """Trigger 0 is at the last row, and stands at the largest timestamp that can be right."""
    stream = Stream(tmp_path, [5, 8, None, 6], mode="train_on_everything")
    (started, _) = beginning(stream, Scope(experiment=False))
    assert (started.everything.key, started.everything.timestamp_us) == (3, 8 * HOUR_US)


@pytest.mark.parametrize("hour", [None, 3])
def test_a_manifest_that_judges_otherwise_is_refused(tmp_path, hour):
    """Written anew by somebody else, it has other moments of discovery: that matters if a row is judged otherwise."""
    stream = Stream(tmp_path, [1, 2, hour, 4])
    observer = Observer(stream.pipeline, stream.dataset(), stream.start("production"))
    follow(observer, end=False)
    path = manifest_path(str(tmp_path / "runs"), "rows")
    (entry,) = read_manifest(path)
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(entry, discovered_us=FAR_US)) + b"\n")
    if hour is not None:
        assert observer.discover(str(tmp_path / "runs")) == []
    else:
        with pytest.raises(DataError, match=r"was found at 2191.*key 2, dated 2191-.*Remove that manifest"):
            observer.discover(str(tmp_path / "runs"))


def beginning(stream, scope):
    """The first events of a run over what is there."""
    return first_events(stream.pipeline, scope, Recorded(stream.dataset()), record(stream), "cpu", {})


def record(stream):
    """What a run sends its workers."""
    return SetupRecord(
        run_id=RunId("run"), version=1, pipeline=stream.pipeline, dataset=stream.config, manifest_uri="",
        artifacts_uri="", targets=(), trusted_modules=(), lease_s=5.0, checkpoints_kept=2,
    )  # fmt: skip


def test_rows_behind_a_question_count_when_they_are_looked_at(tmp_path):
    """Not when they were read: a resume would count them twice."""
    stream = Stream(tmp_path, [0, None, 2, 3, None, None])
    trigger = Trigger(name="asking", options={"every": 3, "fires": 1, "needs_model": False, "twice": False})
    pipeline = msgspec.structs.replace(stream.pipeline, trigger=trigger)
    state, counted = stream.start(), []
    observer = Observer(pipeline, stream.dataset(), state)
    while not observer.at_end:
        if observer.may_go_on(state):
            event = observer.observe(state)
            state, _ = fold(state, [event])
            counted.append((event.key, event.misdated.rows))
            observer = Observer(pipeline, stream.dataset(), state)  # whoever goes on
        else:
            answer = Detected(task_id=state.stream.question.task, attempt=1, worker="w", answer={"rows": 3, "model": 0})
            state, _ = fold(state, [Reported(time_us=0, position="1-0", report=answer)])
    assert counted == [(2, 1), (2, 1), (5, 3), (5, 3)]
    assert [trigger.fired.key for _, trigger in sorted(state.triggers.items())] == [2, 5]

"""The observer reads rows from files and says each trigger and each slice once, also after a restart."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from begun import BEGUN
from hypothesis import given, settings
from hypothesis import strategies as st
from workplace import HOUR_US, Workplace

from shared.config.load import load_configuration
from shared.dataset.discovery import discover
from shared.dataset.table import open_dataset
from shared.errors import DataError, RunFailedError
from shared.ids import RunId, TriggerId
from supervisor.core.events import RunStarted
from supervisor.core.notices import Waits
from supervisor.core.seen import Fired
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.observe.followed_rows import BATCH_ROWS
from supervisor.run.observe.observer import Observer
from supervisor.run.observe.sound import fired_by
from supervisor.triggers.policy import Decision

ROWS_BY_FILE = [10_500, 500, 3_000, 7_000, 2_000]  # 23,000 rows: three batches, borders within files
ROWS = sum(ROWS_BY_FILE)
POLICIES = {"rows": {"policy": "data_amount", "every": 3500}, "weeks": {"policy": "time", "every": "7d"}}


class Stream:
    """Files with rows an hour apart, every tenth of them two days late, and the pipeline that follows them."""

    def __init__(self, folder, rows_by_file, trigger, slices=("30d", "7d")):
        small = Workplace.small(folder)
        small.pipeline["trigger"] = trigger
        windows = [{"name": f"every {length}", "window": {"every": length}} for length in slices]
        small.pipeline["evaluation"]["on"][2:] = windows
        small.config["storage"]["datasets"]["rows"]["uri"] = "stream"
        small.write()
        files = (folder / "pipeline.yaml", folder / "config.yaml")
        configuration = load_configuration(*files, experiment_mode=True)
        self.pipeline, self._config = configuration.pipeline, configuration.system.datasets["rows"]
        self._folder, self._first_key = folder, 0
        (folder / "stream").mkdir()
        for rows in rows_by_file:
            self.add(rows)

    def add(self, rows):
        """One more file."""
        keys = np.arange(self._first_key, self._first_key + rows)
        moments = pa.array((keys - 48 * (keys % 10 == 9)) * HOUR_US, pa.timestamp("us", tz="UTC"))
        pq.write_table(
            pa.table({"timestamp": moments, "label": keys % 2}), self._folder / f"stream/{keys[0]:09}.parquet"
        )
        self._first_key += rows

    def dataset(self, files=None):
        """The rows of the first files."""
        return open_dataset(self._config, discover(self._config, str(self._folder / "runs"))[:files])

    def start(self, **options):
        """The state of a run that has just begun."""
        default = {"first_key": 0, "stop_key": None, "maximum_triggers": None}
        started = RunStarted(time_us=0, run_id=RunId("run"), mode="experiment", **{**default, **options})
        return transition(RunState(settings=Settings.of(self.pipeline)), started)[0]


def follow(observer):
    """The events of all rows that are there."""
    events = []
    while not observer.at_end:
        events.append(observer.observe(BEGUN))
    return [event for event in events if event is not None]


def consequences(events):
    """Triggers in the order in which they fired, and slices window by window."""
    fired = [trigger for event in events for trigger in getattr(event, "triggers", ())]
    return fired, sorted((piece for event in events for piece in event.slices), key=lambda piece: piece.window)


def fold(state, events):
    """The state after these events."""
    for event in events:
        state, *_ = transition(state, event)
    return state


@pytest.fixture(scope="module", params=POLICIES)
def long(request, tmp_path_factory):
    """A stream of 23,000 rows in five files, under each policy."""
    return Stream(tmp_path_factory.mktemp("long"), ROWS_BY_FILE, POLICIES[request.param])


@pytest.fixture(scope="module")
def by_rows(tmp_path_factory):
    """The same stream with a trigger every 3,500 rows."""
    return Stream(tmp_path_factory.mktemp("by_rows"), ROWS_BY_FILE, POLICIES["rows"])


def test_triggers_are_numbered_and_carry_key_event_time_and_reason(by_rows):
    """floor(n/m) of them, across batches; a late row has the event time of the row before."""
    fired, _ = consequences(follow(Observer(by_rows.pipeline, by_rows.dataset(), by_rows.start())))
    assert [(trigger.id, trigger.key) for trigger in fired] == [(n, 3500 * (n + 1) - 1) for n in range(ROWS // 3500)]
    assert [trigger.timestamp_us for trigger in fired] == [(trigger.key - 1) * HOUR_US for trigger in fired]
    assert fired[1].reason == "3500 rows since key 3500"


def test_an_event_tells_how_far_the_rows_were_seen(by_rows):
    """Batch by batch, to the last row and the largest timestamp so far."""
    observer = Observer(by_rows.pipeline, by_rows.dataset(), by_rows.start())
    events = follow(observer)
    assert [event.key for event in events] == [BATCH_ROWS - 1, 2 * BATCH_ROWS - 1, ROWS - 1]
    assert [event.event_time_us for event in events] == [(event.key - 1) * HOUR_US for event in events]
    assert (observer.position, observer.at_end) == (ROWS, True)


def test_rows_of_the_last_moment_before_a_stop_or_a_silence_are_told(tmp_path):
    """A position is journaled once a second at most; where no row follows, the journal must not stay behind."""
    stream = Stream(tmp_path, [400], {"policy": "data_amount", "every": 1000}, slices=())
    observer = Observer(stream.pipeline, stream.dataset(), stream.start())
    assert observer.unsaid() is None
    assert follow(observer) == []
    told = observer.unsaid()
    assert (told.key, told.event_time_us) == (399, 398 * HOUR_US)
    assert observer.unsaid() is None


def test_the_end_closes_the_open_slice_of_every_window(long):
    """With it the slices of each window share out all rows."""
    observer = Observer(long.pipeline, long.dataset(), long.start())
    _, slices = consequences([*follow(observer), observer.end()])
    for window in ("every 30d", "every 7d"):
        pieces = [piece for piece in slices if piece.window == window]
        assert [piece.first_key for piece in pieces] == [0, *(piece.last_key + 1 for piece in pieces[:-1])]
        assert pieces[-1].last_key == ROWS - 1


def test_after_maximum_triggers_the_rows_are_still_followed(long):
    """Nothing more fires, but the slices go on to the last row."""
    observer = Observer(long.pipeline, long.dataset(), long.start(maximum_triggers=2))
    everything = consequences(follow(Observer(long.pipeline, long.dataset(), long.start())))
    fired, slices = consequences(follow(observer))
    assert (fired, slices) == (everything[0][:2], everything[1])
    assert (observer.fired_all, observer.position) == (True, ROWS)


def test_maximum_triggers_is_a_bound_not_a_goal(by_rows):
    """A stream that fires less often is not done by it."""
    observer = Observer(by_rows.pipeline, by_rows.dataset(), by_rows.start(maximum_triggers=7))
    fired, _ = consequences(follow(observer))
    assert (len(fired), observer.fired_all) == (6, False)


@pytest.mark.parametrize("stop_key", [1, 6_999, 7_000, 10_000, 12_345, ROWS + 5])
def test_no_row_from_the_stop_key_on_is_followed(by_rows, stop_key):
    """Triggers, slices and the end lie before it, or at the last row if the dataset ends earlier."""
    observer = Observer(by_rows.pipeline, by_rows.dataset(), by_rows.start(stop_key=stop_key))
    fired, slices = consequences([*follow(observer), end := observer.end()])
    assert end.key == min(stop_key, ROWS) - 1 == max(piece.last_key for piece in slices)
    assert len(fired) == min(stop_key, ROWS) // 3500


def test_rows_before_the_first_followed_one_count_for_nothing(by_rows):
    """Triggers and slices count from the first followed row."""
    observer = Observer(by_rows.pipeline, by_rows.dataset(), by_rows.start(first_key=1_000))
    fired, slices = consequences(follow(observer))
    assert [trigger.key for trigger in fired][:2] == [4_499, 7_999]
    assert min((piece.first_key, piece.start_us) for piece in slices) == (1_000, 1_000 * HOUR_US)


def test_train_on_everything_is_trigger_0(by_rows):
    """The first trigger that the policy fires is number 1, and `--maximum-triggers` counts both."""
    everything = Fired(id=TriggerId(0), key=999, timestamp_us=0, reason="all")
    state = by_rows.start(first_key=1_000, everything=everything, maximum_triggers=3)
    fired, _ = consequences(follow(Observer(by_rows.pipeline, by_rows.dataset(), state)))
    assert [(trigger.id, trigger.key) for trigger in fired] == [(1, 4_499), (2, 7_999)]


@settings(max_examples=40)
@given(files=st.integers(1, 5), data=st.data())
def test_a_restart_repeats_nothing_and_forgets_nothing(long, files, data):
    """Whatever had been seen and journaled: before and after make what one observer says in one go."""
    start = long.start(maximum_triggers=data.draw(st.none() | st.integers(1, 6)))
    one = Observer(long.pipeline, long.dataset(), start)
    expected = consequences([*follow(one), one.end()])
    seen = follow(Observer(long.pipeline, long.dataset(files), start))
    journaled = seen[: data.draw(st.integers(0, len(seen)))]
    again = Observer(long.pipeline, long.dataset(), fold(start, journaled))
    assert consequences([*journaled, *follow(again), again.end()]) == expected


@settings(max_examples=40)
@given(first_look=st.integers(1, 5), second_look=st.integers(1, 5))
def test_a_growing_dataset_is_followed_as_if_it_had_been_there(long, first_look, second_look):
    """Production: files come while the observer waits at the end, and borders between looks do not show."""
    expected = consequences(follow(Observer(long.pipeline, long.dataset(), long.start())))
    observer, events = Observer(long.pipeline, long.dataset(first_look), long.start()), []
    for files in (first_look, max(first_look, second_look), 5):
        observer.go_on_with(long.dataset(files))
        events += follow(observer)
    assert consequences(events) == expected


def test_new_files_end_the_wait(tmp_path):
    """At the end there is nothing to observe, until a file is added and the dataset opened anew."""
    stream = Stream(tmp_path, [400], {"policy": "data_amount", "every": 500})
    observer = Observer(stream.pipeline, stream.dataset(), stream.start())
    assert consequences(follow(observer))[0] == []
    assert observer.discover(str(tmp_path / "runs")) == []
    stream.add(200)
    assert observer.at_end
    (found,) = observer.discover(str(tmp_path / "runs"))
    assert [entry.first_key for entry in found.entries] == [400]
    assert [trigger.key for trigger in consequences(follow(observer))[0]] == [499]


def test_what_comes_and_is_not_read_is_told_once(tmp_path, caplog):
    """Whenever it comes: as an event what is named like data, in a line what is not; the others are read."""
    stream = Stream(tmp_path, [400], {"policy": "data_amount", "every": 500})
    observer = Observer(stream.pipeline, stream.dataset(), stream.start())
    folder = Path(stream.dataset().entries[0].file).parent
    (folder / "gone.parquet").symlink_to("nowhere")
    (folder / "late.xlsx").write_text("")
    (told,) = observer.discover(str(tmp_path / "runs"))
    assert list(told.unread.unreadable) == [str(folder / "gone.parquet")]
    for _ in range(2):
        assert observer.discover(str(tmp_path / "runs")) == []
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "late.xlsx: not read, as only" in line]) == 1
    assert len(lines) == 1


def test_a_stream_may_begin_after_the_last_row(tmp_path):
    """`initial_mode: ignore`: what comes later is the stream."""
    stream = Stream(tmp_path, [400], {"policy": "data_amount", "every": 100})
    observer = Observer(stream.pipeline, stream.dataset(), stream.start(first_key=400))
    assert observer.at_end
    stream.add(150)
    observer.go_on_with(stream.dataset())
    assert [(trigger.id, trigger.key) for trigger in consequences(follow(observer))[0]] == [(0, 499)]


def test_positions_alone_are_journaled_once_a_second_at_most(tmp_path):
    """Batches without triggers and slices bring few events, whatever the number of batches."""
    stream = Stream(tmp_path, [50_000], {"policy": "data_amount", "every": 1_000_000}, slices=())
    started_s = time.monotonic()
    observer = Observer(stream.pipeline, stream.dataset(), stream.start())
    events = follow(observer)
    assert observer.position == 50_000
    assert len(events) <= time.monotonic() - started_s


def test_an_unusable_timestamp_stops_at_its_batch(tmp_path):
    """The error names the key, and no row of the batch counts as observed."""
    stream = Stream(tmp_path, [100], {"policy": "data_amount", "every": 10})
    table = pa.table({"timestamp": pa.array([None], pa.timestamp("us", tz="UTC")), "label": [0]})
    pq.write_table(table, tmp_path / "stream" / "999999999.parquet")
    observer = Observer(stream.pipeline, stream.dataset(), stream.start())
    with pytest.raises(DataError, match="of key 100 in .*/999999999.parquet is null"):
        observer.observe(BEGUN)
    assert observer.position == 0


@pytest.mark.parametrize(
    ("decided", "told"),
    [
        ({"key": 20}, r"wants a trigger at key 20, but the keys from 21 to 99 are those that have come since its last"),
        ({"key": 100}, "wants a trigger at key 100, but the keys from 21 to 99"),
        ({"key": 30.0}, "a decision has a whole key and timestamp_us"),
        ({"timestamp_us": None}, "a decision has a whole key and timestamp_us"),
    ],
)
def test_a_decision_that_no_run_could_carry_out_is_refused(decided, told):
    """Keys that go back, repeat, lie beyond the rows seen, or are no keys."""
    decision = Decision(**{"key": 30, "timestamp_us": 0, "reason": "", **decided})
    with pytest.raises(RunFailedError, match=f"trigger policy mine .*{told}"):
        fired_by(decision, TriggerId(3), who="trigger policy mine", after=20, before=100)


def test_a_decision_may_bring_numbers_of_numpy():
    """They are written as plain ones."""
    decision = Decision(key=np.int64(30), timestamp_us=np.int64(5), reason="five")
    fired = fired_by(decision, TriggerId(3), who="", after=20, before=31)
    assert msgspec.json.decode(msgspec.json.encode(fired)) == {"id": 3, "key": 30, "timestamp_us": 5, "reason": "five"}


def test_a_run_says_what_it_waits_for(tmp_path):
    """The first row; then how far the policy is, which need not say that, and the newest event time."""
    stream = Stream(tmp_path, [2_000], {"policy": "data_amount", "every": 1500})
    state = stream.start(first_key=1_000)
    observer = Observer(stream.pipeline, stream.dataset(), state)
    assert observer.waits() == Waits(sentence="waiting for the first row from key 1000 on", begun=False)
    assert observer.waits() is None
    while not observer.at_end:
        observer.observe(BEGUN)
    newest = "newest event time 1970-03-25T06:00:00.000000Z"
    assert observer.waits() == Waits(sentence=f"1,000 of 1,500 rows to the next trigger; {newest}", begun=True)


def test_what_is_waited_for_is_told_anew_after_a_near_miss(tmp_path):
    """Although no row has come: what was waited for may have come to no avail."""
    stream = Stream(tmp_path, [400], {"policy": "hearing", "every": 1000})
    state = stream.start()
    observer = Observer(stream.pipeline, stream.dataset(), state)
    state = fold(state, follow(observer))
    assert [observer.waits() is None for _ in range(2)] == [False, True]
    assert observer.quiet(2, state).considered
    assert [observer.waits() is None for _ in range(2)] == [False, True]


def test_a_trigger_by_hand_and_one_of_a_quiet_stream_are_journaled_as_others_are(tmp_path):
    """At the last row, once; a policy that only notes the time is journaled once a second at most."""
    stream = Stream(tmp_path, [400, 100], {"policy": "hearing", "every": 1000})
    state = stream.start()
    observer = Observer(stream.pipeline, stream.dataset(1), state)
    assert (observer.fire("now", "a-request"), observer.quiet(1, state)) == (None, None)
    state = fold(state, follow(observer))
    state = fold(state, [observer.fire("the feed was mended", "a-request")])
    assert (observer.fire("again", "a-request"), observer.quiet(1, state)) == (None, None)
    observer.go_on_with(stream.dataset())
    state = fold(state, follow(observer))
    assert [len(event.considered) if event else None for event in map(quiet_at(observer, state), (2, 3, 4))] == [
        1, None, None,
    ]  # fmt: skip
    state = fold(state, [observer.quiet(1, state)])
    fired = [trigger.fired for _, trigger in sorted(state.triggers.items())]
    assert [(one.key, one.reason) for one in fired] == [(399, "the feed was mended"), (499, "it is quiet")]
    assert state.stream.policy.memory["last"] == 499


def quiet_at(observer, state):
    """Asks at a time."""
    return lambda now_us: observer.quiet(now_us, state)

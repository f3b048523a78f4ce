"""What is read off the newest state of a run when somebody asks: triggers, rows, open tasks, files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from prometheus_client.metrics_core import Metric as Family

from shared.exposition.metric import Metric
from shared.timestamps import MICROSECONDS_PER_S
from supervisor.core.state import RunState
from supervisor.core.trigger_state import Phase, TriggerState

_KINDS = ("select", "train", "gather", "evaluate", "baseline", "decide", "detect")

TRIGGERS = Metric("modyn_triggers", "Triggers of the run, by how far they have come.", ("state",))
ROWS = Metric("modyn_dataset_rows", "Rows of the dataset that have keys.")
UNSEEN = Metric("modyn_unseen_rows", "Rows behind the last one that is known to have been looked at.")
BEHIND = Metric("modyn_rows_behind", "Rows behind the trigger of the newest model: no model has learned from them.")
EVENT_TIME = Metric("modyn_event_time_timestamp_seconds", "Event time at the last row that was looked at.")
TIME_BEHIND = Metric("modyn_event_time_behind_seconds", "Event time since the trigger of the newest model.")
MISDATED = Metric("modyn_misdated_rows", "Rows dated later than they can be.")
SET_ASIDE = Metric("modyn_set_aside_rows", "Rows that are not as expected, and are trained on by nobody now.")
UNSETTLED = Metric(
    "modyn_unsettled_rows",
    "Rows behind the last one up to which no label is waited for, where labels come late; of a run that follows.",
)
FILES = Metric("modyn_files_not_read", "Files of the dataset that cannot be read, or do not fit.")
OPEN = Metric("modyn_open_tasks", "Tasks that were published and not reported yet.", ("kind",))
CLAIMED = Metric("modyn_claimed_tasks", "Those of them that a worker has taken.")


class Seen(NamedTuple):
    """The run at one turn of its loop. Nothing of it ever changes, so another thread may read it."""

    state: RunState
    rows: int  # of the dataset


def families(seen: Seen | None) -> Iterator[Family]:
    """None: the run has not begun."""
    if seen is None:
        return
    state, stream, behind = seen.state, seen.state.stream, _Behind.of(seen)
    phases = Counter(trigger.phase for trigger in state.triggers.values())
    yield TRIGGERS.gauge({(phase,): phases[phase] for phase in Phase})
    yield ROWS.gauge(seen.rows)
    yield UNSEEN.gauge(max(0, behind.end - stream.observed_key - 1))
    yield BEHIND.gauge(behind.rows)
    yield EVENT_TIME.gauge(None if stream.event_time_us is None else stream.event_time_us / MICROSECONDS_PER_S)
    yield TIME_BEHIND.gauge(behind.event_time_s)
    yield MISDATED.gauge(stream.misdated.rows if stream.misdated else 0)
    yield SET_ASIDE.gauge(sum(last - first + 1 for first, last in stream.left_out))
    yield UNSETTLED.gauge(_unsettled(state))
    yield FILES.gauge(state.unread.files)
    yield OPEN.gauge({(kind,): state.tasks.count(kind) for kind in _KINDS})
    yield CLAIMED.gauge(len(state.tasks.claimed))


def _unsettled(state: RunState) -> int | None:
    """Rows whose windows may have to wait; None where each label is known with its row, or at once."""
    if state.experiment or state.settings.labels == "with_rows":
        return None
    return state.stream.observed_key - max(state.stream.settled_key, state.first_usable_key - 1)


class _Behind(NamedTuple):
    end: int  # the first key that is not there, or not followed
    rows: int
    event_time_s: float | None

    @classmethod
    def of(cls, seen: Seen) -> _Behind:
        """How far the newest model is behind the stream, or the stream's beginning if there is none."""
        state, stream = seen.state, seen.state.stream
        newest, stop_key = _newest_model(state), state.started.stop_key
        end = seen.rows if stop_key is None else min(stop_key, seen.rows)
        first = state.first_usable_key if newest is None else newest.fired.key + 1
        since_us = stream.began_us if newest is None else newest.fired.timestamp_us
        time_s = None
        if stream.event_time_us is not None and since_us is not None:
            time_s = max(0.0, (stream.event_time_us - since_us) / MICROSECONDS_PER_S)
        return cls(end, max(0, end - first), time_s)


def _newest_model(state: RunState) -> TriggerState | None:
    """Looked for from the last trigger back: only those that have no model yet lie between."""
    index = state.last
    while index is not None and state.trigger(index).phase is not Phase.COMMITTED:
        index = state.trigger(index).before
    return None if index is None else state.trigger(index)

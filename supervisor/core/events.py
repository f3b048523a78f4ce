"""What happens to a run. Every event is one line of journal.jsonl, and the state is a fold over them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from shared.clock_changes import ClockChanges
from shared.dataset.manifest import ManifestEntry
from shared.ids import RunId, TaskId, TriggerId
from shared.messages.reports import AnyReport
from shared.messages.tasks import Device
from supervisor.core.seen import Asked, Considered, Fired, Misdated, PolicyState, Settled, Slice, Unread, Violated


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Something that happened, and when by the supervisor's clock."""

    time_us: int


class RunStarted(Event, frozen=True, kw_only=True, tag="run_started"):
    """A run began."""

    run_id: RunId
    mode: Literal["experiment", "production"]
    first_key: int  # first followed row
    stop_key: int | None  # first row not followed any more; None: until stopped
    everything: Fired | None = None  # train_on_everything: trigger 0, over all rows before first_key
    maximum_triggers: int | None
    labels_position: int | None = None  # so many rows the table of labels had then; None: labels stand in their rows
    serves: bool = True  # whether it deploys to the targets; a rehearsal deploys to folders of its run directory
    evaluation_device: Device = "cpu"  # settled once: another kind of device gives scores with other last digits
    setup_version: int = 1  # of the record that workers read, as this session wrote it
    code: dict[str, str] | None = None  # file of the user's modules → SHA-256; None: nobody looked


class Resumed(Event, frozen=True, kw_only=True, tag="resumed"):
    """A supervisor took the run up again, and compared what it knows with what Redis and the store still hold."""

    adopted: tuple[TaskId, ...] = ()  # tasks whose attempt a worker still works on
    lost_training_sets: tuple[TriggerId, ...] = ()
    lost_models: tuple[TriggerId, ...] = ()
    lost_states: tuple[TriggerId, ...] = ()  # of the strategy
    setup_version: int = 1  # of the record that workers read, as this session wrote it
    code: dict[str, str] | None = None  # file of the user's modules → SHA-256; None: nobody looked
    attempts_above: int = 0  # what any other session has numbered, also one that went on from a copy of this journal


class Wiped(Event, frozen=True, kw_only=True, tag="wiped"):
    """Redis had forgotten the run; this is what workers have claimed anew since."""

    adopted: tuple[TaskId, ...] = ()


class Discovered(Event, frozen=True, kw_only=True, tag="discovered"):
    """New files, with the keys they were given."""

    entries: tuple[ManifestEntry, ...]


class LabelsDiscovered(Event, frozen=True, kw_only=True, tag="labels_discovered"):
    """New files of the table of labels, with the positions that their rows were given: no row before `from_key` was
    observed when they were known of.
    """

    entries: tuple[ManifestEntry, ...]
    from_key: int  # the row that was to be observed next
    event_time_us: int | None  # at the row before it; None: there was none that is followed


class NotRead(Event, frozen=True, kw_only=True, tag="not_read"):
    """Other files than before cannot be read, or do not fit: these are all of them now."""

    unread: Unread


class Observed(Event, frozen=True, kw_only=True, tag="observed"):
    """Rows were seen up to and with `key`; what followed from them is in the same line, so it cannot be torn off."""

    key: int
    event_time_us: int | None  # None while no row has a timestamp that it can have
    triggers: tuple[Fired, ...] = ()
    slices: tuple[Slice, ...] = ()
    began_us: int | None = None  # event time at the first followed row
    misdated: Misdated | None = None
    settled: Settled | None = None  # None: each label is known with its row, or it is a replay
    clock_changes: ClockChanges | None = None  # None while there are none
    considered: tuple[Considered, ...] = ()
    violations: tuple[Violated, ...] = ()
    answered: bool = False  # whether this is what the policy made of the answer to its open question
    question: Asked | None = None  # its next one
    policy: PolicyState | None = None  # None while it has seen no row


class StreamEnded(Event, frozen=True, kw_only=True, tag="stream_ended"):
    """No row after `key` will be followed; the last windows close here."""

    key: int
    slices: tuple[Slice, ...] = ()
    event_time_us: int | None = None
    began_us: int | None = None  # event time at the first followed row
    misdated: Misdated | None = None
    settled: Settled | None = None  # None: each label is known with its row
    clock_changes: ClockChanges | None = None


class Reported(Event, frozen=True, kw_only=True, tag="reported"):
    """A worker's report arrived; `position` is its place in the stream."""

    position: str
    report: AnyReport


class Garbled(Event, frozen=True, kw_only=True, tag="garbled"):
    """A report cannot be read, or names what is not there: its worker has finished, as Redis knows, but all is lost."""

    position: str
    task_id: TaskId
    attempt: int
    why: str


class LeaseExpired(Event, frozen=True, kw_only=True, tag="lease_expired"):
    """The worker that had this attempt did not renew its lease."""

    task_id: TaskId
    attempt: int


class Unclaimed(Event, frozen=True, kw_only=True, tag="unclaimed"):
    """A published attempt is in no queue although workers are idle: its message was lost."""

    task_id: TaskId
    attempt: int


class Registered(Event, frozen=True, kw_only=True, tag="registered"):
    """The run hears what producers announce, from now on."""

    stream: str
    group: str  # its consumer group there


class Deregistered(Event, frozen=True, kw_only=True, tag="deregistered"):
    """It does not any more, and nothing is kept for it."""

    stream: str
    group: str


class Declined(Event, frozen=True, kw_only=True, tag="declined"):
    """Somebody asked for a trigger, and there was none."""

    request: str  # its id
    why: str  # they asked
    sentence: str  # why there is none
    refused: bool  # else all rows that there are went into the last trigger


class StopAsked(Event, frozen=True, kw_only=True, tag="stop_asked"):
    """Somebody wants the run to stop."""

    by: str


class Ended(Event, frozen=True, kw_only=True, tag="ended"):
    """The run is over, or stopped and resumable."""

    status: Literal["finished", "stopped", "failed"]
    reason: str
    workers_lost: int = 0  # in the session that ends
    reconnects: int = 0


AnyEvent = (
    RunStarted
    | Resumed
    | Wiped
    | Discovered
    | LabelsDiscovered
    | NotRead
    | Observed
    | StreamEnded
    | Reported
    | Garbled
    | LeaseExpired
    | Unclaimed
    | Registered
    | Deregistered
    | Declined
    | StopAsked
    | Ended
)


_DECODER = msgspec.json.Decoder(AnyEvent)  # made once: to make it takes longer than to decode a line


def event_of(line: bytes) -> AnyEvent:
    """The event in a journal line; raises msgspec.ValidationError or DecodeError."""
    event: Any = _DECODER.decode(line)
    return event  # type: ignore[no-any-return]

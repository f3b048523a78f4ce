"""What happens to a run. Every event is one line of journal.jsonl, and the state is a fold over them."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Literal

import msgspec

from shared.clock_changes import ClockChanges
from shared.dataset.manifest import ManifestEntry
from shared.ids import RunId, TaskId, TriggerId
from shared.messages.reports import AnyReport
from shared.messages.tasks import Device


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Something that happened, and when by the supervisor's clock."""

    time_us: int


class LabelsKnown(msgspec.Struct, frozen=True, kw_only=True):
    """What was known at a trigger, where labels come later than their rows."""

    key: int | None  # the last row whose label was known; None: there was none
    event_time_us: int | None  # at that row
    position: int | None = None  # so many rows of the labels' table were found; None: labels stand in their rows


class Fired(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The decision to retrain."""

    id: TriggerId
    key: int
    timestamp_us: int
    reason: str
    labels: LabelsKnown | None = None  # None: each label is known with its row
    request: str | None = None  # the id of that by which somebody asked for it; None: nobody did

    @property
    def by_hand(self) -> bool:
        """Whether a person wanted it: then it has rows that were held."""
        return self.request is not None

    @property
    def labelled_key(self) -> int | None:
        """The last row whose label was known; None: there was none."""
        return self.key if self.labels is None else self.labels.key

    @property
    def labelled_us(self) -> int | None:
        """Event time at that row."""
        return self.timestamp_us if self.labels is None else self.labels.event_time_us


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


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """Files whose rows have no keys, each with a sentence that says why; the first ones by name."""

    unreadable: dict[str, str] = {}
    unfit: dict[str, str] = {}  # readable, but their columns or rows are not those of the dataset
    more: int = 0  # and so many that are not named

    @property
    def named(self) -> dict[str, str]:
        """All that have a name here."""
        return {**self.unreadable, **self.unfit}

    @property
    def files(self) -> int:
        """How many there are."""
        return len(self.unreadable) + len(self.unfit) + self.more

    def without(self, read: Container[str]) -> Unread:
        """The others, when these are read."""
        unreadable = {file: why for file, why in self.unreadable.items() if file not in read}
        unfit = {file: why for file, why in self.unfit.items() if file not in read}
        return Unread(unreadable=unreadable, unfit=unfit, more=self.more)


class NotRead(Event, frozen=True, kw_only=True, tag="not_read"):
    """Other files than before cannot be read, or do not fit: these are all of them now."""

    unread: Unread


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """A closed slice of an `every` window."""

    window: str
    start_us: int
    first_key: int
    last_key: int
    event_time_us: int | None  # the running maximum before first_key
    last_us: int | None = None  # and at last_key


class Misdated(msgspec.Struct, frozen=True, kw_only=True):
    """Rows dated later than they can be, which do not advance event time: how many so far, and the first of them."""

    rows: int
    key: int
    file: str
    timestamp_us: int
    latest_us: int  # the last moment at which it could be dated


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question of the trigger policy that a worker is to answer, before a row behind `key` is looked at."""

    key: int
    timestamp_us: int
    detector: str
    options: dict[str, Any]
    needs_model: bool = False
    labels: LabelsKnown | None = None  # at that row; None: each label is known with its row

    @property
    def labelled_key(self) -> int | None:
        """The last row whose label was known; None: there was none."""
        return self.key if self.labels is None else self.labels.key


class Considered(msgspec.Struct, frozen=True, kw_only=True):
    """A look of the trigger policy that led to no trigger, and why."""

    key: int
    reason: str


class Violated(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are not as `expect:` says, and what is done with them."""

    first_key: int
    last_key: int
    on_violation: Literal["hold", "skip", "alert"]  # set aside until a trigger by hand, or for ever; or only told
    why: str


class PolicyState(msgspec.Struct, frozen=True, kw_only=True):
    """What the trigger policy remembers, and of how many trainings it was told."""

    memory: dict[str, Any] = {}
    told: int = 0


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """How far labels are known that come later than their rows."""

    key: int  # up to it no label is waited for any more: each is known, or given up
    position: int | None = None  # so many rows of the labels' table were found; None: labels stand in their rows
    unlabelled: int = 0  # rows that no label was found for


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

"""What was seen of rows and files, as events say it: triggers, questions, slices, wrong times, what is not read."""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Literal

import msgspec

from shared.ids import TriggerId


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


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """How far labels are known that come later than their rows."""

    key: int  # up to it no label is waited for any more: each is known, or given up
    position: int | None = None  # so many rows of the labels' table were found; None: labels stand in their rows
    unlabelled: int = 0  # rows that no label was found for


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

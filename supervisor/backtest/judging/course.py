"""Which models serve where, and what that takes: what policies, baselines and best schedules have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec


class Stretch(NamedTuple):
    """Rows that are judged."""

    first_key: int
    last_key: int


class Stint(NamedTuple):
    """Rows that one model serves: the window of its trigger."""

    model: int  # its number in the grid
    first_key: int
    last_key: int


class Switch(NamedTuple):
    """A model takes over, behind the row at which its trigger fired."""

    key: int
    model: int


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """What serves in the stretch that is judged."""

    start: int  # the model that serves its first row
    switches: tuple[Switch, ...] = ()  # by key, all within the stretch
    trainings: int  # that are paid for
    gpu_s: float  # seconds that these trained

    def stints(self, stretch: Stretch) -> Iterator[Stint]:
        """Those with a row, in the order of time: one a trigger, also where its model served before."""
        model, first_key = self.start, stretch.first_key
        for switch in self.switches:
            if switch.key >= first_key:
                yield Stint(model, first_key, min(switch.key, stretch.last_key))
            model, first_key = switch.model, switch.key + 1
        if first_key <= stretch.last_key:
            yield Stint(model, first_key, stretch.last_key)


def is_paid_at_first(start: int, switches: Sequence[Switch]) -> bool:
    """Whether the model that serves until the first trigger costs a training of its own, beside those of triggers.

    It does not where the first trigger gets the same: that is one training, behind whichever row it is asked for.
    """
    return not switches or switches[0].model != start

"""A policy that is driven over rows as a run drives it, from one stretch to the next."""

from __future__ import annotations

import msgspec
import numpy as np
from streams import Player, pieces, rows

from supervisor.triggers.policy import StreamStart

DAY_US = 86_400_000_000


class Driven(Player):
    """What came of it: `triggers`, of key and reason, `misses` and `questions`, in order."""

    def over(self, times_us, batch_rows=1_000, first_key=0, before_us=None):
        """Rows of these event times, in batches of so many."""
        stretch = msgspec.structs.replace(rows(np.asarray(times_us, np.int64), first_key), before_us=before_us)
        for batch in pieces(stretch, range(0, len(times_us), batch_rows)):
            self.give(batch)
        return self

    @property
    def triggers(self):
        """That the policy has decided."""
        return [(one.key, one.reason) for one in self.played.fired]

    @property
    def keys(self):
        """Of these."""
        return [one.key for one in self.played.fired]

    @property
    def misses(self):
        """Looks without a trigger."""
        return self.played.near_misses

    @property
    def questions(self):
        """For detectors."""
        return self.played.questions

    @property
    def state(self):
        """Of the policy."""
        return self.played.state


def made(kind, options, *, first_key=0, event_time_us=0, trained_key=None):
    """A policy of these options, as a file has them."""
    start = StreamStart(first_key=first_key, event_time_us=event_time_us, trained_key=trained_key)
    loaded = kind.Schema().load(options)
    assert msgspec.json.decode(msgspec.json.encode(loaded)) == loaded  # it goes through messages and journals
    return kind(loaded, start)

"""Which rows a look has a worker score: those since the newest trigger whose labels are known since the last look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supervisor.triggers.policy import Answer, State, StreamStart, Trigger

_TRIGGERS = 20  # so many are told of: the model that is asked about may be that of an older one, where newer failed


class NewRows:
    """A pure function of its state, so that each row is scored once, whenever its label comes to be known.

    State: `triggers`, number, first and last key of what came since the one before; `since_us`, event time at the
    newest; `looked`, at which row, and at how many known rows behind that trigger, the last look was.
    """

    def __init__(self, start: StreamStart) -> None:
        self._start = start

    def begin(self) -> State:
        """No trigger yet, but for that of all rows before the stream."""
        trained_key = self._start.trained_key
        return _anew([] if trained_key is None else [[0, 0, trained_key]], self._start.event_time_us)

    def asked(self, key: int, metric: Mapping[str, Any] | None, state: State, *, expected: bool) -> dict[str, Any]:
        """Options of detector `performance` for a look at `key`, behind some trigger.

        `expected`: also what the model scores on the held-out rows of the stretch that it was trained on.
        """
        return {
            "metric": metric,
            "current": [state["triggers"][-1][2] + 1, key],
            "since_us": state["since_us"],
            "window": {"since": state["looked"]},
            "trainings": state["triggers"] if expected else [],
            "expected_of": None,
        }

    def looked(self, key: int, answer: Answer) -> State:
        """What a state has anew once a look's answer is there and its rows are not to be scored again."""
        return {"looked": {"key": key, "known": answer["known"]}}

    def fired(self, trigger: Trigger, state: State) -> State:
        """What a state has anew when there is a trigger, whoever fired it."""
        first_key = state["triggers"][-1][2] + 1 if state["triggers"] else self._start.first_key
        triggers = [*state["triggers"], [trigger.number, first_key, trigger.key]][-_TRIGGERS:]
        return _anew(triggers, trigger.timestamp_us)


def _anew(triggers: list[list[int]], since_us: int) -> State:
    looked = {"key": triggers[-1][2] if triggers else None, "known": 0}
    return {"triggers": triggers, "since_us": since_us, "looked": looked}

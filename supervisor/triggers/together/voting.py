"""What policies decide are votes: a trigger is decided when enough of them stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from supervisor.triggers.looks.span import Span
from supervisor.triggers.policy import (
    Answer,
    Batch,
    Decision,
    NearMiss,
    Observation,
    Question,
    State,
    Training,
    Trigger,
    TriggerPolicy,
)
from supervisor.triggers.rules.combine import Combine, combined, votes_needed
from supervisor.triggers.rules.rule import Verdict
from supervisor.triggers.together.side_by_side import SideBySide, Together, put_back


class Voting(TriggerPolicy):
    """Policies by name.

    One that decides has voted, and its vote stands until a trigger is fired, whoever fires it, or `within` has passed.
    Each vote is counted with those that stand, and if they are enough, the trigger's last row is that of the latest.
    State: `together`, that of `SideBySide`; `votes`, the last one of each; `trigger_key`, of the last trigger.
    """

    def __init__(
        self, policies: Mapping[str, TriggerPolicy], combine: Combine, within: Span | None, trigger_key: int | None
    ) -> None:
        """`trigger_key`: as the state's before the first followed row. Raises ConfigurationError for too many votes."""
        self._names, self._together = tuple(policies), SideBySide(tuple(policies.values()))
        self.asks, self.hears_trainings = self._together.asks, self._together.hears_trainings
        self._combine, self._needed = combine, votes_needed(combine, len(policies))
        self._within, self._trigger_key = within, trigger_key

    def begin(self) -> State:
        """Nobody has voted."""
        votes = [None] * len(self._names)
        return {"together": self._together.begin(), "votes": votes, "trigger_key": self._trigger_key}

    def observe(self, batch: Batch, state: State) -> Observation:
        """The first question of a policy, or the first vote with which enough stand."""
        return self._together.watch(batch, state, self._counted)

    def answer(self, question: Question, answer: Answer, state: State) -> Observation:
        """The next question at this row, or whether enough votes stand."""
        return self._counted(self._together.answer(question, answer, state["together"]), state)

    def quiet(self, now_us: int, key: int, event_time_us: int, state: State) -> Observation:
        """Policies may vote because time has passed."""
        return self._counted(self._together.quiet(now_us, key, event_time_us, state["together"]), state)

    def fired(self, trigger: Trigger, state: State) -> State:
        """No vote stands any more."""
        together = self._together.fired(trigger, state["together"])
        return {"together": together, "votes": [None] * len(self._names), "trigger_key": trigger.key}

    def trained(self, training: Training, state: State) -> State:
        """Policies that hear of trainings are told."""
        return {**state, "together": self._together.trained(training, state["together"])}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> str:
        """How many votes stand, and what each policy waits for."""
        stand = sum(one is not None and self._stands(one, next_key - 1, event_time_us) for one in state["votes"])
        told = self._together.waits_for(next_key, event_time_us, state["together"])
        each = "; ".join(f"{name}: {one}" for name, one in zip(self._names, told, strict=True) if one)
        return f"{stand} of {self._needed} votes" + (f"; {each}" if each else "")

    def _counted(self, together: Together, state: State) -> Observation:
        """Decisions become votes, in the order of their keys, until enough stand; others wait for the next row."""
        missed = [
            NearMiss(key=one.key, reason=f"{self._names[number]}: {one.reason}") for number, one in together.near_misses
        ]
        state, left = {**state, "together": together.state}, _by_key(together.decisions, state["trigger_key"])
        while left:
            now, left = left[0], left[1:]
            votes = list(state["votes"])
            for number, decision in now:
                votes[number] = msgspec.to_builtins(decision)
            state = {**state, "votes": votes}
            decision = now[0][1]
            verdict = self._verdict(votes, decision)
            if verdict.fires:
                later = [one for group in left for one in group]
                state = {**state, "together": put_back(later, together.state)}
                fires = msgspec.structs.replace(decision, reason=verdict.reason)
                return Observation(state=state, decision=fires, near_misses=tuple(missed))
            missed.append(NearMiss(key=decision.key, reason=verdict.reason))
        return Observation(state=state, question=together.question, near_misses=tuple(missed))

    def _verdict(self, votes: Sequence[Any], latest: Decision) -> Verdict:
        """Whether enough stand at the latest, and who says what."""
        silent = [name for name, vote in zip(self._names, votes, strict=True) if vote is None]
        return combined(list(self._told(votes, latest)), self._combine, silent)

    def _told(self, votes: Sequence[Any], latest: Decision) -> Iterator[tuple[str, Verdict]]:
        for name, vote in zip(self._names, votes, strict=True):
            if vote is None:
                continue
            if self._stands(vote, latest.key, latest.timestamp_us):
                yield name, Verdict(fires=True, reason=f"at key {vote['key']}: {vote['reason']}")
            else:
                yield name, Verdict(fires=False, reason=f"at key {vote['key']}, not within {self._within}")

    def _stands(self, vote: Mapping[str, Any], key: int, event_time_us: int) -> bool:
        return self._within is None or not self._within.passed(key - vote["key"], event_time_us - vote["timestamp_us"])


def _by_key(decisions: Sequence[tuple[int, Decision]], trigger_key: int | None) -> list[list[tuple[int, Decision]]]:
    """Those with new rows since the last trigger, one list a key, ascending."""
    groups: dict[int, list[tuple[int, Decision]]] = {}
    for number, decision in decisions:
        if trigger_key is None or decision.key > trigger_key:
            groups.setdefault(decision.key, []).append((number, decision))
    return [groups[key] for key in sorted(groups)]

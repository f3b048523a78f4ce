"""Several policies on the same rows: all stop where the first of them decides or asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

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


class Together(msgspec.Struct, frozen=True, kw_only=True):
    """What they make of rows, or of an answer, up to a row; numbers are those of the policies, from 0."""

    state: State
    key: int  # of that row
    decisions: tuple[tuple[int, Decision], ...] = ()  # once all questions at that row are answered
    question: Question | None = None
    near_misses: tuple[tuple[int, NearMiss], ...] = ()


class SideBySide:
    """Has all of them see the same rows, and one ask after the other.

    State: `members`, their states; `asked`, the questions that are open at a row, of which a worker has the first;
    `decided`, what was decided there, which is told once all are answered, and what was put back to be told again.
    """

    def __init__(self, policies: Sequence[TriggerPolicy]) -> None:
        self._policies = tuple(policies)
        self.asks = any(policy.asks for policy in policies)
        self.hears_trainings = any(policy.hears_trainings for policy in policies)

    def begin(self) -> State:
        """That of each before the first followed row."""
        return {"members": [policy.begin() for policy in self._policies], "asked": [], "decided": []}

    def observe(self, batch: Batch, state: State) -> Together:
        """What the first of them makes of these rows; all have seen the same ones."""
        if state["decided"]:  # put back: to be told with the next row
            batch = batch.part(batch.first_key, batch.first_key + 1)
        both = list(zip(self._policies, state["members"], strict=True))
        looks = [policy.observe(batch, own) for policy, own in both]
        last_key = batch.stop_key - 1
        key = min(last_key if look.seen_key is None else look.seen_key for look in looks)
        if key < last_key:
            upto = batch.part(batch.first_key, key + 1)
            looks = [
                look if look.seen_key == key else policy.observe(upto, own)
                for look, (policy, own) in zip(looks, both, strict=True)
            ]
        return _gathered(enumerate(looks), {**state, "members": [look.state for look in looks]}, key)

    def watch(
        self,
        batch: Batch,
        state: State,
        counted: Callable[[Together, State], Observation],
        row_by_row: Callable[[Together, State], bool] = lambda together, state: False,
    ) -> Observation:
        """Go on until `counted`, which is given what they make of rows, and the whole state, decides or asks.

        `state`: that of who watches, with this one's as `together`. Calls all policies each time that one stops.
        `row_by_row`: whether what they make of rows is to be counted at each row of which a near miss tells.
        """
        missed = list[NearMiss]()
        while True:
            together = self.observe(batch, state["together"])
            if together.near_misses and together.key > batch.first_key and row_by_row(together, state):
                told_key = min(one.key for _, one in together.near_misses)
                upto = batch.part(batch.first_key, max(told_key, batch.first_key + 1))
                together = self.observe(upto, state["together"])
            observed = counted(together, state)
            missed += observed.near_misses
            ends = together.key == batch.stop_key - 1
            if ends or observed.decision is not None or observed.question is not None:
                return msgspec.structs.replace(observed, near_misses=tuple(missed), seen_key=together.key)
            batch, state = batch.part(together.key + 1, batch.stop_key), observed.state

    def answer(self, question: Question, answer: Answer, state: State) -> Together:
        """What the one that asked makes of it; then the next question at this row, or what all have decided there."""
        (number, _), *rest = state["asked"]
        members = list(state["members"])
        observed = self._policies[number].answer(question, answer, members[number])
        members[number] = observed.state
        return _gathered([(number, observed)], {**state, "members": members, "asked": rest}, question.key)

    def quiet(self, now_us: int, key: int, event_time_us: int, state: State) -> Together:
        """What they make of the time that has passed; nothing while a question is open."""
        if state["asked"]:
            return Together(state=state, key=key)
        both = zip(self._policies, state["members"], strict=True)
        looks = [policy.quiet(now_us, key, event_time_us, own) for policy, own in both]
        return _gathered(enumerate(looks), {**state, "members": [look.state for look in looks]}, key)

    def fired(self, trigger: Trigger, state: State) -> State:
        """All are told. What was decided at rows that the trigger has, while a question was open, is forgotten."""
        both = zip(self._policies, state["members"], strict=True)
        decided = [one for one in state["decided"] if one[1]["key"] > trigger.key]
        return {**state, "members": [policy.fired(trigger, own) for policy, own in both], "decided": decided}

    def trained(self, training: Training, state: State) -> State:
        """All that hear of trainings are told."""
        both = zip(self._policies, state["members"], strict=True)
        told = [policy.trained(training, own) if policy.hears_trainings else own for policy, own in both]
        return {**state, "members": told}

    def waits_for(self, next_key: int, event_time_us: int, state: State) -> list[str]:
        """What each waits for."""
        both = zip(self._policies, state["members"], strict=True)
        return [policy.waits_for(next_key, event_time_us, own) for policy, own in both]


def put_back(decisions: Iterable[tuple[int, Decision]], state: State) -> State:
    """The state with decisions that are to be told again with the next row, by when the ones before them are carried
    out."""
    return {**state, "decided": [[number, msgspec.to_builtins(one)] for number, one in decisions]}


def _gathered(looks: Iterable[tuple[int, Observation]], state: State, key: int) -> Together:
    """What is known at a row once all have looked at it: the first open question, or else all decisions."""
    asked, decided, missed = [], list(state["decided"]), list[tuple[int, NearMiss]]()
    for number, look in looks:
        missed += [(number, one) for one in look.near_misses]
        if look.question is not None:
            asked.append([number, msgspec.to_builtins(look.question)])
        if look.decision is not None:
            decided.append([number, msgspec.to_builtins(look.decision)])
    asked += state["asked"]
    if asked:
        state = {**state, "asked": asked, "decided": decided}
        question = msgspec.convert(asked[0][1], Question)
        return Together(state=state, key=key, question=question, near_misses=tuple(missed))
    decisions = tuple((number, msgspec.convert(one, Decision)) for number, one in decided)
    state = {**state, "asked": [], "decided": []}
    return Together(state=state, key=key, decisions=decisions, near_misses=tuple(missed))

"""What becomes of a trigger that is asked for by hand: it fires at the last row that was seen, or there is a reason."""

from __future__ import annotations

from shared.timestamps import now_us
from supervisor.core.events import Declined, Observed
from supervisor.core.state import RunState
from supervisor.run.by_hand import Request
from supervisor.run.observe.observer import Observer


def answer(request: Request, observer: Observer, state: RunState) -> Observed | Declined:
    """The event that answers it, whatever the policy and what stands around it say.

    Raises RunFailedError for what the policy raises when it hears of the trigger.
    """
    if observer.fired_all:
        return _declined(request, f"--maximum-triggers {state.started.maximum_triggers} is reached", refused=True)
    if state.stream.ended:
        told = f"no row after key {state.stream.observed_key} is followed, and the run is about to end"
        return _declined(request, told, refused=True)
    fired = observer.fire(f"by hand: {request.why}", request.id)
    if fired is not None:
        return fired
    none = "no row has come since the last trigger" if state.triggers else "no row has come yet"
    return _declined(request, none, refused=False)


def _declined(request: Request, sentence: str, *, refused: bool) -> Declined:
    return Declined(time_us=now_us(), request=request.id, why=request.why, sentence=sentence, refused=refused)

"""Cut windows are scored anew: what the processes that do it are asked, and whether what they need is there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from shared.errors import NotReadyError
from shared.ids import TriggerId
from shared.messages.rescore import Rescore, Rescored
from shared.words import counted
from supervisor.compare.anew import score_anew
from supervisor.compare.common_rows import CommonRows, Part
from supervisor.compare.ranges import keys_in
from supervisor.compare.run_to_score import RunToScore
from supervisor.compare.scored_run import ScoredRun
from supervisor.core.attempts import model_ref
from supervisor.core.classes import classes_known
from supervisor.run.directory import RunDirectory
from supervisor.system.setup import setup_record

_TELL_EVERY_S = 2.0

Tell = Callable[[str], None]


def score_cut(runs: Sequence[ScoredRun], common: CommonRows, tell: Tell) -> dict[tuple[int, TriggerId], Rescored]:
    """(run, trigger) → the scores of each cut window, on its rows that all runs scored.

    Raises NotReadyError for a model that is not there any more, and where nobody can score it here.
    """
    cut = common.cut
    if not cut:
        return {}
    _refuse_missing_models(runs, cut)
    numbers = {run: place for place, run in enumerate(dict.fromkeys(run for run, _ in cut))}
    wanted = [_wanted(runs[run], numbers[run], part, common) for run, part in cut]
    rows = sum(keys_in(part.ranges) for _, part in cut)
    what = f"{counted(len(cut), 'window')} of {counted(len(numbers), 'run')}, {counted(rows, 'row')}"
    tell(f"evaluating anew {what}: not all rows in them were scored by all runs")
    found = score_anew([_to_score(runs[run]) for run in numbers], wanted, _Progress(tell))
    places = list(numbers)
    return {(places[one.run], one.trigger_id): one for one in found}


class _Progress:
    """Says now and then how far it is."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._next_s = time.monotonic() + _TELL_EVERY_S

    def __call__(self, done: int, of: int) -> None:
        now_s = time.monotonic()
        if done == of or now_s >= self._next_s:
            self._next_s = now_s + _TELL_EVERY_S
            self._tell(f"evaluated anew: {done:,} of {counted(of, 'window')}")


def _wanted(run: ScoredRun, number: int, part: Part, common: CommonRows) -> Rescore:
    state, trigger_id = run.state, part.window.trigger_id
    fired = state.trigger(trigger_id).fired
    return Rescore(
        run=number,
        trigger_id=trigger_id,
        trigger_key=fired.key,
        trigger_timestamp_us=fired.timestamp_us,
        models=tuple(model_ref(state, one) for one in _models(run, part)),
        ranges=part.ranges,
        masks=common.masks,
        device=state.started.evaluation_device,
        history=part.window.history,
        first_labelled_key=state.trigger(0).fired.labelled_key,
        classes=classes_known(state, trigger_id),
    )


def _models(run: ScoredRun, part: Part) -> list[int]:
    """The trigger's own and the run's first."""
    return sorted({part.window.trigger_id, first_model(run)})


def first_model(run: ScoredRun) -> TriggerId:
    """The trigger whose model is the first, of a run that has scored something."""
    first = run.state.models.first
    assert first is not None, f"{run.run} has scored windows without a model"
    return first


def _to_score(run: ScoredRun) -> RunToScore:
    root = run.configuration.system.artifacts_root
    record = setup_record(run.configuration, run.state.run_id, str(run.path), root, serves=False)
    return RunToScore(record=record, state=run.state, folder=run.path, code=run.code)


def _refuse_missing_models(runs: Sequence[ScoredRun], cut: Sequence[tuple[int, Part]]) -> None:
    """Nothing is evaluated for a comparison that cannot be made."""
    needed: dict[int, set[int]] = {}
    for number, part in cut:
        needed.setdefault(number, set()).update(_models(runs[number], part))
    sentences = [
        missing[0] + (f" So are {len(missing) - 1:,} others of its models." if len(missing) > 1 else "")
        for number, models in needed.items()
        if (missing := [why for model in sorted(models) if (why := _missing(runs[number], model)) is not None])
    ]
    if sentences:
        raise NotReadyError(*sentences)


def _missing(run: ScoredRun, index: int) -> str | None:
    """Why a model cannot be scored, and what to do; None if it can."""
    trigger, store = run.state.trigger(index), RunDirectory(run.path).store
    needed = f"model {index} of {run.run} is needed, to score a part of the rows of a window, and is gone"
    if trigger.retired:
        return f"{needed}: retention.models has let go of its weights. Compare runs that keep all their models."
    if trigger.model is None:
        return f"{needed}: it is to be made anew. Go on with the run, with --resume."
    if not store.stands(trigger.model):
        return f"{needed}: {store.uri(trigger.model.name)} is not there. Bring it back, or go on with --resume."
    return None

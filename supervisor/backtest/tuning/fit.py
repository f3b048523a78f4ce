"""The parameters of a policy that cost least on the rows that they are fitted on.

One parameter after the other is tried on a ladder of values around the best one, on ever finer ladders, until nothing
gets better.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from shared.config.load import Configuration
from shared.errors import ConfigurationError
from shared.words import counted
from supervisor.backtest.tuning.ladder import ladder, moved, octaves_between
from supervisor.backtest.tuning.options import Block, Option, named, options_of, plain, with_option

MOST_TRIED = 100  # blocks that are replayed for one policy
_OCTAVES = (  # of one ladder after the other
    (-3, -2, -1, 1, 2, 3),
    (-0.75, -0.5, -0.25, 0.25, 0.5, 0.75),
    (-0.125, 0.125),
)
_FAR = (-12, -9, -6, 6, 9, 12)  # where all of the first ladder come to the same
Ladders = Mapping[str, Sequence[Any]]  # dotted key of a block → the values that are tried, as a file writes them
Played = TypeVar("Played")


class Worth(NamedTuple):
    """What a replayed policy comes to. Of two that cost the same that with fewer trainings is the better one."""

    cost: float
    trainings: int


class Trial(NamedTuple, Generic[Played]):
    """How a block is tried."""

    configured: Callable[[Block], Configuration]  # the pipeline with it, in any thread; raises ConfigurationError
    play: Callable[[Configuration], Played]
    cost: Callable[[Played], Worth]


class Fitted(NamedTuple):
    """The best block that was found, never worse than the one that was written."""

    block: dict[str, Any]
    configuration: Configuration
    parameters: dict[str, Any]  # dotted key of each that was fitted → its value, as a file writes it
    worth: Worth
    written: Worth  # what the block comes to as it was written
    tried: int  # blocks that were replayed
    is_settled: bool  # False: it ended because it had tried so many

    @property
    def notes(self) -> Iterator[str]:
        """What is to be known before it is trusted: sentences without a full stop."""
        if self.parameters and self.worth.trainings <= 1:
            yield "was fitted to train once: no value that was tried did better with a second training"
        if not self.is_settled:
            yield f"fitting ended after {counted(self.tried, 'replay')}, before nothing got better any more"


def fit(block: Block, trial: Trial[Played], ladders: Ladders | None = None, *, most_tried: int = MOST_TRIED) -> Fitted:
    """Fit what the policies of a block mark as tunable, and what `ladders` names, by what they say.

    `ladders`: of values that the block may have. Deterministic. Raises ConfigurationError for the block, and what
    `trial` raises.
    """
    return _Search(block, trial, dict(ladders or {}), most_tried).fitted()


class _Tried(NamedTuple):
    """A block, and what it came to."""

    block: dict[str, Any]
    configuration: Configuration
    worth: Worth
    distance: float  # from the written values, in octaves

    def is_better(self, other: _Tried) -> bool:
        """Cheaper; else with fewer trainings; else nearer to what is written."""
        return (*self.worth, self.distance) < (*other.worth, other.distance)


class _Search(Generic[Played]):
    """One policy's."""

    def __init__(self, block: Block, trial: Trial[Played], ladders: dict[str, Any], most_tried: int) -> None:
        self._trial, self._ladders, self._most_tried = trial, ladders, most_tried
        self._tried: dict[str, _Tried | None] = {}  # by block; None: the schema refuses it
        self._replays, self._is_cut = 0, False
        configuration = trial.configured(block)
        self._written = {one.key: one.value for one in self._options(block, configuration)}
        self._first = self._best = self._replayed(dict(block), configuration)
        self._tried[_name(block)] = self._first

    def fitted(self) -> Fitted:
        """Search, ladder after ladder."""
        for octaves in _OCTAVES:
            while self._round(octaves):
                pass
        best = self._best
        return Fitted(
            block=best.block,
            configuration=best.configuration,
            parameters={one.key: plain(one.value) for one in self._options_of(best) if one.value is not None},
            worth=best.worth,
            written=self._first.worth,
            tried=self._replays,
            is_settled=not self._is_cut,
        )

    def _options_of(self, tried: _Tried) -> list[Option]:
        return self._options(tried.block, tried.configuration)

    def _options(self, block: Block, configuration: Configuration) -> list[Option]:
        """Those that are fitted: marked ones, and those that have a ladder of their own."""
        marked = options_of(block, configuration)
        keys = {one.key for one in marked}
        return [*marked, *(named(block, key) for key in self._ladders if key not in keys)]

    def _round(self, octaves: Sequence[float]) -> bool:
        """Try the values of one option after the other; whether any is better."""
        before = self._best
        for option in self._options_of(before):
            self._along(option.key, octaves)
        return self._best is not before

    def _along(self, key: str, octaves: Sequence[float]) -> None:
        """Try the values of one option, the others as in the best block; from far away, where these change nothing."""
        before = self._best
        option = next((one for one in self._options_of(before) if one.key == key), None)
        if option is not None and not self._differ(before, option, octaves) and octaves is _OCTAVES[0]:
            self._differ(before, option, _FAR)

    def _differ(self, before: _Tried, option: Option, octaves: Sequence[float]) -> bool:
        """Try its values; whether any of them comes to something else than before."""
        differ = False
        for block in self._blocks(before, option, octaves):
            tried = self._try(block)
            if tried is not None:
                differ |= tried.worth != before.worth
                self._best = tried if tried.is_better(self._best) else self._best
        return differ

    def _blocks(self, best: _Tried, option: Option, octaves: Sequence[float]) -> Iterator[dict[str, Any]]:
        """With another value each; what is a part of the option stays as large a part."""
        values = self._ladders.get(option.key) or ladder(option.value, option.tuned, octaves)
        own = self._options_of(best)
        parts = [one for one in own if one.whole == option.key and one.is_written and one.key not in self._ladders]
        for value in values:
            block = with_option(best.block, option, value)
            for part in parts if type(value) is type(option.value) else ():
                grown = octaves_between(option.value, value, option.tuned)
                block = with_option(block, part, moved(part.value, part.tuned, grown))
            yield block

    def _try(self, block: dict[str, Any]) -> _Tried | None:
        """What it comes to; None: the schema refuses it, or enough were tried."""
        name = _name(block)
        if name in self._tried:
            return self._tried[name]
        if self._replays >= self._most_tried:
            self._is_cut = True
            return None
        try:
            configuration = self._trial.configured(block)
        except ConfigurationError:
            self._tried[name] = None
        else:
            self._tried[name] = self._replayed(block, configuration)
        return self._tried[name]

    def _replayed(self, block: dict[str, Any], configuration: Configuration) -> _Tried:
        self._replays += 1
        worth = self._trial.cost(self._trial.play(configuration))
        distance = sum(self._distance(one) for one in self._options(block, configuration))
        return _Tried(block, configuration, worth, distance)

    def _distance(self, option: Option) -> float:
        """How far an option is from what is written: in octaves, or in places of its own ladder."""
        written = self._written.get(option.key)
        if option.value == written:
            return 0.0
        values = self._ladders.get(option.key)
        if values is not None:
            places = [*values] if written in values else [written, *values]
            return abs(places.index(option.value) - places.index(written))
        return 0.0 if written is None else abs(octaves_between(written, option.value, option.tuned))


def _name(block: Block) -> str:
    return json.dumps(block, sort_keys=True, default=str)

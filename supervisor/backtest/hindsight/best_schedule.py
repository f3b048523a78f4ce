"""The best schedule in hindsight: when to have trained, and what, had all losses been known beforehand.

A dynamic program, as the oracle of CARA (Mahadevan and Mathioudakis 2024, arXiv 2310.04216) and the exact plans of the
package retrainopt: at each moment the model in use is kept, or one candidate of that moment is trained and serves from
then on.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Wholes = npt.NDArray[np.int64]
Ahead = npt.NDArray[np.complex128]  # cost + trainings · i: numpy orders by the real part, then by the imaginary one

_SAME = 1e-12  # of a cost: less is rounding


class Candidate(NamedTuple):
    """A training that could have been. The same model may take over at several moments."""

    moment: int  # the first window that it may serve; several candidates may share it
    cost: float  # of its training: what a price is per
    model: int  # whose losses it has


class Schedule(NamedTuple):
    """Which candidates are trained, and what that comes to."""

    trainings: tuple[int, ...]  # numbers of candidates, in the order of time
    cost: float  # error · loss + price · training_cost
    loss: float
    training_cost: float  # of all of them, without the price
    start: int | None = None  # the model that was there at first, where one was


class _Layer(NamedTuple):
    """How schedules go on that begin with a training at each moment."""

    candidate: Wholes  # which one, (moments,)
    after: Ahead  # the best that may follow it, (moments + 1,), at last: nothing


class Hindsight:
    """What each model loses from its first moment to each later one at which another may take over; nothing else.

    Memory: a number for each pair of model and moment, however many windows and candidates there are.
    """

    def __init__(
        self, candidates: Sequence[Candidate], windows: int, losses: Iterable[npt.ArrayLike], free: Sequence[int] = ()
    ) -> None:
        """`losses`: of each model in turn the loss summed over the rows of each window, (windows,), taken one by one;
        those of windows before its first moment do not count.

        `free`: models that are there at first, and cost nothing; one of them serves from the first window on. Without
        any, nothing is lost before the first moment, at which a candidate must be trained.

        Raises ValueError for a moment that is no window, and for numbers that are not finite.
        """
        if not candidates or not all(0 <= one.moment < windows for one in candidates):
            raise ValueError(f"each candidate has a moment from 0 to {windows - 1}, and there is one at least")
        moments, at = np.unique([one.moment for one in candidates], return_inverse=True)
        self._starts, self._at, self._windows = moments, at.astype(np.int64), windows
        self._end = len(moments)  # behind the last moment
        self._models = np.array([one.model for one in candidates], dtype=np.int64)
        self._costs = _finite(np.array([one.cost for one in candidates], dtype=np.float64))
        self._by_moment = np.argsort(self._at, kind="stable")
        self._free = np.array(sorted(free), dtype=np.int64)
        self._sums = self._all_sums(losses)

    def costing(self, costs: npt.ArrayLike) -> Hindsight:
        """The same, where the candidates' trainings cost something else, (candidates,)."""
        other = copy.copy(self)
        other._costs = _finite(np.asarray(costs, dtype=np.float64))
        if other._costs.shape != self._costs.shape:
            raise ValueError(f"{len(self._costs)} candidates have as many costs, not {other._costs.shape}")
        return other

    def best(self, price: float = 1.0, error: float = 1.0) -> Schedule:
        """The schedule of least error · loss + price · training_cost; both are at least 0.

        Of those that are equal as floats, one with fewer trainings; then the one whose first training is earlier, or of
        a candidate with a smaller number; then the second, and so on. O(candidates · moments).
        """
        ahead, candidate = _nothing(self._end), np.full(self._end, -1)
        groups = np.split(self._by_moment, np.flatnonzero(np.diff(self._at[self._by_moment])) + 1)
        for at in range(self._end - 1, -1, -1):
            numbers = groups[at]
            models = self._models[numbers]
            kept = (error * self._sums[models, at + 1 :] + ahead[at + 1 :]).min(axis=1)
            own = self._with_training(kept, numbers, price, error)
            place = int(np.flatnonzero(own == own.min())[0])
            ahead[at], candidate[at] = own[place], numbers[place]
        return self._read(ahead, repeat(_Layer(candidate, ahead)), price, error)

    def best_with_at_most(self, most: int, price: float = 0.0, error: float = 1.0) -> list[Schedule]:
        """The best of at most 1, 2, … trainings, where one is equal to another as in `best`.

        Up to `most`, or to as many as bring nothing more than one less: the last one then is the best of any number.
        O(models · moments) for each.
        """
        found, layers = list[Schedule](), list[_Layer]()
        ahead = _nothing(self._end)
        for _ in range(min(most, self._end)):
            after = ahead
            ahead, candidate = self._train(after, price, error)
            layers.insert(0, _Layer(candidate, after))
            found.append(self._read(ahead, layers, price, error))
            if np.allclose(ahead.real, after.real, rtol=_SAME, atol=0.0):
                break
        return found

    def untrained(self, error: float = 1.0) -> Schedule:
        """The best without any training. Raises ValueError without a model at first."""
        return self.of((), 0.0, error)

    def of(
        self, trainings: Sequence[int], price: float = 1.0, error: float = 1.0, start: int | None = None
    ) -> Schedule:
        """What trainings come to that somebody else has chosen: numbers of candidates, in the order of time.

        `start`: which of the models that are there at first; the best of them if it is None. Raises ValueError for two
        trainings of one moment, and without a model at first for none of the first moment.
        """
        at = [int(self._at[number]) for number in trainings]
        if any(one >= other for one, other in zip(at, at[1:], strict=False)):
            raise ValueError(f"trainings follow each other in time; those of candidates {list(trainings)} do not")
        loss = 0.0
        if len(self._free):
            first = at[0] if at else self._end
            start = int(self._free[self._sums[self._free, first].argmin()]) if start is None else start
            loss = float(self._sums[start, first])
        elif at[:1] != [0]:
            raise ValueError("there is no model at first, so that a candidate of the first moment must be trained")
        for number, begin, end in zip(trainings, at, [*at[1:], self._end], strict=False):
            model = self._models[number]
            loss += float(self._sums[model, end] - self._sums[model, begin])
        training_cost = float(sum(self._costs[number] for number in trainings))
        told = tuple(int(one) for one in trainings)
        return Schedule(told, error * loss + price * training_cost, loss, training_cost, start)

    def _all_sums(self, losses: Iterable[npt.ArrayLike]) -> Floats:
        """[m, k]: loss of a model from its first moment, or of a free one from the first window, up to the k-th."""
        firsts = dict(zip(self._models[self._by_moment[::-1]], self._at[self._by_moment[::-1]], strict=True))
        firsts |= dict.fromkeys(self._free.tolist(), 0)
        sums = []
        for number, row in enumerate(losses):
            sums.append(np.zeros(self._end + 1))
            if number in firsts:
                sums[-1][firsts[number] + 1 :] = self._summed(row, firsts[number])
            if number in self._free:
                sums[-1] += _finite(np.asarray(row, dtype=np.float64)[: self._starts[0]]).sum()
        if not all(0 <= number < len(sums) for number in firsts):
            raise ValueError(f"there are losses of {len(sums)} models, but candidates of others")
        return np.array(sums)

    def _summed(self, losses: npt.ArrayLike, at: int) -> Floats:
        """Loss from the at-th moment up to each later one, and to the end: (moments − at,)."""
        row = np.asarray(losses, dtype=np.float64)
        if row.shape != (self._windows,):
            raise ValueError(f"the losses of a model have the shape ({self._windows},), not {row.shape}")
        return _finite(np.cumsum(np.add.reduceat(row, self._starts[at:])))

    def _train(self, after: Ahead, price: float, error: float) -> tuple[Ahead, Wholes]:
        """The best that begins with a training at each moment, and which that is, with what is best `after` it."""
        totals = error * self._sums + after
        kept = np.minimum.accumulate(totals[:, ::-1], axis=1)[:, ::-1]  # from each moment on
        numbers = self._by_moment
        at = self._at[numbers]
        own = self._with_training(kept[self._models[numbers], at + 1], numbers, price, error)
        least = np.minimum.reduceat(own, np.searchsorted(at, np.arange(self._end)))
        places = np.flatnonzero(own == least[at])
        _, first = np.unique(at[places], return_index=True)
        return np.append(least, 0.0), numbers[places[first]]

    def _with_training(self, kept: Ahead, numbers: Wholes, price: float, error: float) -> Ahead:
        """What schedules come to that begin with these candidates; `kept`: counted from their models' first moments."""
        before = error * self._sums[self._models[numbers], self._at[numbers]]
        own: Ahead = kept - before + price * self._costs[numbers] + 1j
        return own

    def _read(self, ahead: Ahead, layers: Iterable[_Layer], price: float, error: float) -> Schedule:
        """The best schedule of all, one layer after the other."""
        at, start = 0, None
        if len(self._free):
            totals = error * self._sums[self._free] + ahead
            rows, columns = np.nonzero(totals == totals.min())
            at = int(columns.min())
            start = int(self._free[rows[columns == at][0]])
        found = list(self._path(at, start, layers, error))
        return self.of(found, price, error, start)

    def _path(self, at: int, serving: int | None, layers: Iterable[_Layer], error: float) -> Iterator[int]:
        """The trainings; one of the model that serves already is rounding, and left out."""
        for layer in layers:
            if at == self._end:
                return
            number = int(layer.candidate[at])
            model = int(self._models[number])
            if model != serving:
                yield number
            totals = error * self._sums[model, at + 1 :] + layer.after[at + 1 :]
            serving, at = model, at + 1 + int(np.flatnonzero(totals == totals.min())[0])


def _nothing(moments: int) -> Ahead:
    """No training may follow."""
    return np.append(np.full(moments, np.inf + 0j), 0.0)


def _finite(numbers: Floats) -> Floats:
    if not np.isfinite(numbers).all():
        raise ValueError("losses, and what trainings cost, are finite numbers")
    return numbers

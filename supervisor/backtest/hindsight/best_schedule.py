"""The best schedule in hindsight: when to have trained, and what, had all losses been known beforehand.

A dynamic program, as the oracle of CARA (Mahadevan and Mathioudakis 2024, arXiv 2310.04216) and the exact plans of the
package retrainopt: at each moment the model in use is kept, or one candidate of that moment is trained and serves from
then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Wholes = npt.NDArray[np.int64]

_MANY = np.iinfo(np.int64).max


class Candidate(NamedTuple):
    """A model that could have been trained."""

    moment: int  # the first window that it may serve; several candidates may share it
    cost: float  # of its training: what a price is per


class Schedule(NamedTuple):
    """Which candidates are trained, and what that comes to."""

    trainings: tuple[int, ...]  # numbers of candidates, in the order of time
    cost: float  # loss + price · training_cost
    loss: float
    training_cost: float  # of all of them, without the price


class _Ahead(NamedTuple):
    """The best that begins with a training at each moment, and at last with none: arrays of (moments + 1,)."""

    cost: Floats
    trainings: Wholes
    candidate: Wholes

    @classmethod
    def nothing(cls, moments: int) -> _Ahead:
        """No training may follow."""
        cost = np.append(np.full(moments, np.inf), 0.0)
        return cls(cost, np.zeros(moments + 1, np.int64), np.full(moments + 1, -1))


class _Layer(NamedTuple):
    """How a schedule goes on: which candidate is trained at a moment, and at which moment the next one."""

    candidate: Wholes
    next_at: Wholes


class Hindsight:
    """What each candidate loses from its moment to each later one at which another may take over; nothing else is kept.

    Memory: a number for each pair of candidate and moment, however many windows there are.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        windows: int,
        losses: Iterable[npt.ArrayLike],
        initial: npt.ArrayLike | None = None,
    ) -> None:
        """`losses`: of each candidate in turn the loss summed over the rows of each window, (windows,), taken one by
        one; those of windows before its moment do not count.

        `initial`: likewise of a model that is there at first, and costs nothing. Without one nothing is lost before the
        first moment, at which a candidate must be trained.

        Raises ValueError for a moment that is no window, and for numbers that are not finite.
        """
        if not candidates or not all(0 <= one.moment < windows for one in candidates):
            raise ValueError(f"each candidate has a moment from 0 to {windows - 1}, and there is one at least")
        moments, at = np.unique([one.moment for one in candidates], return_inverse=True)
        self._starts, self._at, self._windows = moments, at.astype(np.int64), windows
        self._end = len(moments)  # behind the last moment
        self._costs = _finite(np.array([one.cost for one in candidates], dtype=np.float64))
        self._sums = np.full((len(candidates), self._end + 1), np.inf)  # [c, k]: loss up to the k-th moment, or the end
        for number, row in zip(range(len(candidates)), losses, strict=True):
            start = int(self._at[number])
            self._sums[number, start + 1 :] = self._summed(row, start)
        self._initial: Floats | None = None
        if initial is not None:
            before = _finite(np.asarray(initial, dtype=np.float64)[: moments[0]]).sum()
            self._initial = before + np.append(0.0, self._summed(initial, 0))

    def best(self, price: float = 1.0) -> Schedule:
        """The schedule of least loss + price · training_cost.

        Of those that are equal as floats, one with fewer trainings; then the one whose first training is earlier, or of
        a candidate with a smaller number; then the second, and so on. O(candidates · moments).
        """
        ahead, next_at = _Ahead.nothing(self._end), np.full(len(self._at), self._end)
        for at in range(self._end - 1, -1, -1):
            numbers = np.flatnonzero(self._at == at)
            next_at[numbers] = self._train(numbers, price, ahead, ahead)
        return self._read(ahead, repeat(_Layer(ahead.candidate, next_at)), price)

    def best_with_at_most(self, most: int, price: float = 0.0) -> list[Schedule]:
        """The best of at most 1, 2, … `most` trainings, where one is equal to another as in `best`.

        O(most · candidates · moments).
        """
        found, layers, numbers = list[Schedule](), list[_Layer](), np.arange(len(self._at))
        ahead = _Ahead.nothing(self._end)
        for allowed in range(1, most + 1):
            if allowed > self._end:  # there are no more moments
                found.append(found[-1])
                continue
            after, ahead = ahead, _Ahead.nothing(self._end)
            next_at = self._train(numbers, price, after, ahead)
            layers.insert(0, _Layer(ahead.candidate, next_at))
            found.append(self._read(ahead, layers, price))
        return found

    def of(self, trainings: Sequence[int], price: float = 1.0) -> Schedule:
        """What trainings come to that somebody else has chosen: numbers of candidates, in the order of time.

        Raises ValueError for two of one moment, and without a model at first for none of the first moment.
        """
        at = [int(self._at[number]) for number in trainings]
        if any(one >= other for one, other in zip(at, at[1:], strict=False)):
            raise ValueError(f"trainings follow each other in time; those of candidates {list(trainings)} do not")
        if self._initial is None and at[:1] != [0]:
            raise ValueError("there is no model at first, so that a candidate of the first moment must be trained")
        loss = 0.0 if self._initial is None else float(self._initial[at[0] if at else self._end])
        for number, end in zip(trainings, [*at[1:], self._end], strict=False):
            loss += float(self._sums[number, end])
        training_cost = float(sum(self._costs[number] for number in trainings))
        return Schedule(tuple(int(one) for one in trainings), loss + price * training_cost, loss, training_cost)

    def _summed(self, losses: npt.ArrayLike, at: int) -> Floats:
        """Loss from the at-th moment up to each later one, and to the end: (moments − at,)."""
        row = np.asarray(losses, dtype=np.float64)
        if row.shape != (self._windows,):
            raise ValueError(f"the losses of a model have the shape ({self._windows},), not {row.shape}")
        return _finite(np.cumsum(np.add.reduceat(row, self._starts[at:])))

    def _train(self, numbers: Wholes, price: float, after: _Ahead, ahead: _Ahead) -> Wholes:
        """The moments of the next trainings after these candidates, (candidates,), with what is best `after` them.

        Those that are the best of their moments are noted in `ahead`.
        """
        cost, trainings, next_at = _least(self._sums[numbers], after)
        cost += price * self._costs[numbers]
        for number, whole, count in zip(numbers.tolist(), cost.tolist(), (trainings + 1).tolist(), strict=True):
            at = self._at[number]
            if (whole, count) < (ahead.cost[at], ahead.trainings[at]):
                ahead.cost[at], ahead.trainings[at], ahead.candidate[at] = whole, count, number
        return next_at

    def _read(self, ahead: _Ahead, layers: Iterable[_Layer], price: float) -> Schedule:
        """The best schedule of all, one layer after the other."""
        at = 0 if self._initial is None else int(_least(self._initial[None, :], ahead)[2][0])
        found: list[int] = []
        for layer in layers:
            if at == self._end:
                break
            found.append(int(layer.candidate[at]))
            at = int(layer.next_at[found[-1]])
        return self.of(found, price)


def _least(sums: Floats, ahead: _Ahead) -> tuple[Floats, Wholes, Wholes]:
    """How models with these sums, (models, moments + 1), are best followed: cost, trainings, next moment, (models,)."""
    costs = sums + ahead.cost
    cost = costs.min(axis=1)
    trainings = np.where(costs == cost[:, None], ahead.trainings, _MANY)
    next_at = trainings.argmin(axis=1)  # the first of those with the fewest
    return cost, ahead.trainings[next_at], next_at


def _finite(numbers: Floats) -> Floats:
    if not np.isfinite(numbers).all():
        raise ValueError("losses, and what trainings cost, are finite numbers")
    return numbers

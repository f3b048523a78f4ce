"""A plain CUSUM on the loss of the model in use, tuned on the first windows over its threshold and slack.

Window by window it sums what was lost beyond a level and a slack, each a loss per row, and never falls below 0; once
the sum reaches the threshold it retrains, and the sum begins anew. The level is 0, so that the slack alone says how
much loss is normal, or what the model lost per row in its first window; that choice is tuned, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.policies.matrix import Matrix, bill
from benchmarks.policies.rivals.ruling import Ruling

_SLACKS, _THRESHOLDS = 21, 30
_LEAST = 1e-4  # the smallest threshold above 0, as a share of the largest


class Cusum(NamedTuple):
    """Its parameters."""

    threshold: float  # of summed loss: 0 retrains at each window, infinity never
    slack: float  # of loss per row
    own_level: bool  # what is normal is what the model lost in its first window; else 0

    def switches(self, matrix: Matrix) -> tuple[int, ...]:
        """At the beginning of a window it has seen those before it."""
        losses, rows = matrix.losses.tolist(), matrix.rows.tolist()
        found, model, level, summed = list[int](), 0, 0.0, 0.0
        for window in range(1, len(rows)):
            loss, count = losses[model][window - 1], rows[window - 1]
            if self.own_level and model == window - 1:
                level = loss / count if count else 0.0
            summed = max(0.0, summed + loss - count * (level + self.slack))
            if summed >= self.threshold:
                found.append(window)
                model, level, summed = window, 0.0, 0.0
        return tuple(found)


def tuned_cusum(matrix: Matrix, price: float, learned: int) -> Ruling:
    """The least costly on the windows that may be learned from; of equal ones that in their middle."""
    known = matrix.first(learned)
    tried = [(bill(known, one.switches(known), price, 0, learned).cost, one) for one in _ladder(known)]
    least = min(cost for cost, _ in tried)
    equal = [one for cost, one in tried if cost <= least]
    best = equal[len(equal) // 2]
    told = {"threshold": best.threshold, "slack": best.slack, "level": "its first window" if best.own_level else "0"}
    return Ruling(best.switches(matrix), told)


def _ladder(known: Matrix) -> Iterator[Cusum]:
    """Slacks among the losses per row that are known, thresholds up to all that the first model lost."""
    models, windows = np.triu_indices(known.windows)
    per_row = known.losses / np.maximum(known.rows, 1)
    absolute = per_row[models, windows]
    beyond = np.maximum(absolute - per_row[models, models], 0.0)
    most = max(float(known.losses[0].sum()), 1e-9)
    thresholds = [0.0, *np.geomspace(most * _LEAST, most, _THRESHOLDS).tolist(), np.inf]
    shares = np.linspace(0.0, 1.0, _SLACKS)
    for own_level, of in ((False, absolute), (True, beyond)):
        for slack in np.unique(np.append(np.quantile(of, shares), 0.0)).tolist():
            yield from (Cusum(threshold, slack, own_level) for threshold in thresholds)

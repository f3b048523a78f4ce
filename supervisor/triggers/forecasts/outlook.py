"""What it will cost to keep a model, and to replace it: by a regression on the errors that models have had so far.

The forecaster of UPF (Regol, Schwinn, Sprague, Coates and Markovich, ICML 2025): the error of a model depends on when
it was made, how old it is, what time it is, and how far the rows have moved; it is distributed as a Beta.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from supervisor.triggers.forecasts.beta import parameters, quantile
from supervisor.triggers.forecasts.elastic_net import Line, fitted

_NEAREST = 1e-3  # no forecast error is nearer to 0 or 1, and none is surer than that


class Seen(NamedTuple):
    """A model's error at a look: both by the number of the look; as a share of the largest error there can be."""

    made: int
    look: int
    shift: float  # how far the means of the features were from those at the look before
    error: float


class Horizon(NamedTuple):
    """Over what is forecast."""

    look: int  # now
    looks: int  # so many that come
    shift: float  # taken to stay as it is
    share: float  # of what may come, which the quantile is not below


class Outlook(NamedTuple):
    """Quantiles of the error, summed over the looks of a horizon."""

    kept: float
    replaced: float


def outlook(seen: Sequence[Seen], made: int, horizon: Horizon) -> Outlook:
    """Of the model that was made at look `made`, and of one that is made now. `seen`: two at least.

    The quantile of a sum of errors is taken as the sum of their quantiles: as if all forecasts were wrong together.
    """
    errors = np.array([one.error for one in seen])
    line = fitted(np.array([_features(one.made, one.look, one.shift) for one in seen]), errors)
    return Outlook(_summed(line, made, horizon), _summed(line, horizon.look, horizon))


def _features(made: int, look: int, shift: float) -> tuple[float, float, float, float]:
    """As they are standardised, it does not matter that looks are not counted as a share of all."""
    return float(made), float(look - made), float(look), shift


def _summed(line: Line, made: int, horizon: Horizon) -> float:
    coming = range(horizon.look + 1, horizon.look + horizon.looks + 1)
    means: npt.NDArray[np.float64] = line.at(np.array([_features(made, look, horizon.shift) for look in coming]))
    return sum(_quantile(horizon.share, mean, line.variance) for mean in means.tolist())


def _quantile(share: float, mean: float, variance: float) -> float:
    """Of a Beta that is narrow enough to have one hump: else most of it is at 0 and at 1, and its quantile at one."""
    mean = min(max(mean, _NEAREST), 1 - _NEAREST)
    widest = mean * (1 - mean) / (1 + 1 / min(mean, 1 - mean))
    return quantile(share, *parameters(mean, min(max(variance, _NEAREST**2), widest)))

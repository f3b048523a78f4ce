"""Detectors of change that take one value after the other, as the package `river` has them: ADWIN, KSWIN, Page-Hinkley.

Each look lets fresh ones, one a feature, go through the reference and then through the window, so that no state has to
be carried from worker to worker.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from shared.errors import ConfigurationError
from workers.detection.measures.windows import PerFeature, windows
from workers.going_on import GoOn, unheard

STREAMED = ("adwin", "kswin", "page_hinkley")


def streamed(
    name: str, reference: Any, current: Any, options: Mapping[str, Any], seed: int, go_on: GoOn = unheard
) -> float:
    """In how many features a change was found among the rows of `current`.

    (n, d), (m, d), in units of the reference's deviation. `go_on` is called with each value. Raises DataError, and
    ConfigurationError without river.
    """
    x, y = windows(reference, current)
    x = x[-options["values"] :] if name == "kswin" else x  # it remembers no more, and takes its time
    make, rows = _maker(name, options, x.shape[1], len(y), seed), np.concatenate([x, y])
    return float(sum(_changes(make(), feature, len(x), go_on) for feature in rows.T))


def _changes(detector: Any, values: PerFeature, start: int, go_on: GoOn) -> bool:
    """Whether it finds one from row `start` on."""
    for row, value in enumerate(values.tolist()):
        go_on()
        detector.update(value)
        if row >= start and detector.drift_detected:
            return True
    return False


def _maker(name: str, options: Mapping[str, Any], features: int, rows: int, seed: int) -> Callable[[], Any]:
    """Makes a detector of one feature; what may be wrong by chance is shared out among all of them."""
    drift = require_river()
    if name == "adwin":  # Bifet and Gavaldà, SDM 2007
        return lambda: drift.ADWIN(delta=options["delta"] / features)
    if name == "kswin":  # Raab, Heusinger and Schleif, Neurocomputing 2020; it makes a test with each row
        alpha = options["alpha"] / (features * rows)
        return lambda: drift.KSWIN(alpha, options["values"], options["newest"], seed=seed)
    least, delta, threshold = options["least"], options["delta"], options["sum"]  # Page, Biometrika 1954
    return lambda: drift.PageHinkley(least, delta, threshold)


def require_river() -> Any:
    """Its module of detectors. Raises ConfigurationError where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from river import drift  # noqa: PLC0415 - an extra, which few have
    except ImportError as error:
        raise ConfigurationError(
            f"adwin, kswin and page_hinkley need the package river, which cannot be imported here ({error}). Install "
            'the extra where workers run: pip install ".[river]".'
        ) from None
    return drift

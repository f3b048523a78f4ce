"""A stream through a strategy, trigger by trigger; between two of them its state is bytes, as in a run."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from shared.strategies.build import strategy_of
from shared.strategies.state import read_state, state_bytes
from shared.strategies.strategy import Piece
from tests.unit.strategies.asked import asked


def through(named, sizes, *, labels=None, cuts=(), mix=None, model=None, seed=0, failed=()):
    """The keys that each trigger selects, and the bytes of its state; so many rows become known at each.

    `cuts`: where rows are read in pieces. `mix`: a seed that mixes the order in which rows of a trigger become known.
    `failed`: triggers whose selection fails, so that the next one observes their rows as well.
    """
    strategy, found, kept, first = strategy_of(named), [], None, 0
    stops = np.cumsum(sizes).tolist()
    for trigger, stop in enumerate(stops):
        if trigger in failed:
            continue
        keys, first = np.arange(first, stop), stop
        if mix is not None:
            keys = np.random.default_rng([mix, trigger]).permutation(keys)
        state = None if kept is None else read_state(kept)
        for some in np.split(keys, sorted(min(cut, len(keys)) for cut in cuts)):
            of_rows = (
                None if labels is None else pa.chunked_array([[labels[key] for key in some.tolist()]], pa.string())
            )
            state = strategy.observe(Piece(keys=some, rows=None, labels=of_rows, seed=seed), state)
        ages = trigger - np.searchsorted(stops, np.arange(stop), side="right")
        request = asked(ages, cuts=cuts, seed=seed, trigger_id=trigger)
        pieces, state = strategy.select(request, state, model)
        kept = None if state is None else state_bytes(state)
        pieces = list(pieces)
        chosen = np.concatenate([np.empty(0, np.int64), *(some for some, _ in pieces)])
        assert (np.diff(chosen) > 0).all()
        assert all((weights == 1).all() and weights.shape == some.shape for some, weights in pieces)
        assert strategy.selects_at_most is None or len(chosen) <= strategy.selects_at_most
        found.append((chosen.tolist(), kept))
    return found


def chosen_of(*given, **options):
    """The keys alone."""
    return [keys for keys, _ in through(*given, **options)]

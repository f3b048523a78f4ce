"""A trigger that a strategy is asked for, made of lists."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa

from shared.config.pipeline import Named, TrainingStrategy
from shared.config.schema.pipeline import PipelineSchema
from shared.plugins import STRATEGIES
from shared.strategies.build import strategy_of
from shared.strategies.strategy import Request


def named(name, **options):
    """A strategy as pipeline.yaml names it. Raises ValidationError."""
    loaded = PipelineSchema().fields["strategy"].deserialize({"name": name, **options})
    return Named(name=loaded["name"], options=loaded["options"])


def asked(ages, *, times=None, labels=None, cuts=(), seed=0, trigger_key=None, trigger_id=0, turn=0):
    """A request: `ages`, of each row, by how many triggers it was known before this one; read in pieces."""
    ages = np.array(ages, np.int64)
    cuts = sorted(min(cut, len(ages)) for cut in cuts)

    def rows(triggers):
        for piece in np.split(np.arange(len(ages)), cuts):
            yield piece if triggers is None else piece[ages[piece] < triggers]

    def beside(values):
        return lambda triggers: ((keys, values(keys)) for keys in rows(triggers))

    return Request(
        trigger_id=trigger_id,
        trigger_key=len(ages) - 1 if trigger_key is None else trigger_key,
        seed=seed,
        rows=rows,
        timed=beside(lambda keys: np.array(times, np.int64)[keys]),
        labelled=beside(lambda keys: pa.chunked_array([pa.array([labels[key] for key in keys.tolist()], pa.string())])),
        seen=lambda keys, triggers: np.minimum(ages[keys], triggers),
        labelled_us=lambda: int(times[-1]),
        turn=turn,
    )


def block_of(name, **options):
    """`strategy:` of which pipeline.yaml says that, with what may be said of any. Raises ValidationError."""
    block = PipelineSchema().fields["strategy"].deserialize({"name": name, **options})
    return msgspec.convert(block, TrainingStrategy)


def built(name, **options):
    """The strategy of such a block. Raises ValidationError."""
    return strategy_of(block_of(name, **options))


def selected(strategy, request, state=None, model=None):
    """Keys, weights, and the state that is kept."""
    pieces, kept = strategy.select(request, state, model)
    keys, weights = zip((np.empty(0, np.int64), np.empty(0, np.float32)), *pieces, strict=True)
    return np.concatenate(keys).tolist(), np.concatenate(weights).tolist(), kept


def chosen(strategy, request):
    """Keys and weights, which ascend and are usable, as one array each."""
    plan = STRATEGIES[strategy.name](strategy.options)
    pieces, state = plan.select(request, None, None)
    assert state is None
    pieces = list(pieces)
    keys = np.concatenate([np.empty(0, np.int64), *(keys for keys, _ in pieces)])
    weights = np.concatenate([np.empty(0, np.float32), *(weights for _, weights in pieces)])
    assert (np.diff(keys) > 0).all()
    assert weights.dtype == np.float32
    assert (np.isfinite(weights) & (weights > 0)).all()
    assert plan.selects_at_most is None or len(keys) <= plan.selects_at_most
    return keys.tolist(), weights.tolist()

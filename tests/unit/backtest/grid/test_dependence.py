"""A back-test has one model stand for that of any trigger at its row: which strategies allow that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from workplace import Workplace

from shared.errors import ConfigurationError
from shared.plugins import STRATEGIES
from shared.strategies.state import read_state, state_bytes
from shared.strategies.strategy import Piece
from supervisor.backtest.grid.dependence import of_strategy, refuse_dependent
from supervisor.system.both_files import load_both
from tests.unit.strategies.asked import asked, block_of, built

ROWS = 300
HISTORIES = ([], [150], [10, 11, 40, 100, 250, 299])  # rows at which triggers came before the last one
SIZED = [{"of": "all", "limit": 40}, {"of": "new", "fraction": 0.5}]
ASKING = [{"of": "all", "limit": 40}, {"of": "all", "fraction": 0.5, "mode": "batch_then_sample"}]
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "new_data": [{}, {"tail": 2}],
    "all_data": [{}, {"limit": 40}, {"warm_up": 2}, {"reset_on_trigger": True}, {"limit": 40, "balance": "label"}],
    "sliding_window": [{"rows": 70}, {"last": "60h", "limit": 20}],
    "latest": [{"limit": 30}],
    "uniform": SIZED,
    "recency": [{"half_life": "20h", "limit": 90}],
    "balanced": [{"by": "label", "of": "all"}, {"by": "trigger", "tail": 3}, {"by": "label"}],
    "reservoir": [{"limit": 40}, {"limit": 40, "balance": "label"}],
    "class_balanced_reservoir": [{"limit": 40}],
    "gdumb": [{"limit": 40, "seed": 3}],
    "herding": [{"limit": 40}],
    "replay_mix": [{"memory_limit": 40}],
    "freshness": [{"limit": 40, "unused_share": 0.5}],
    **dict.fromkeys(("k_center", "facility_location", "craig", "grad_match", "graph_cut"), SIZED),
    "log_determinant": SIZED,
    **dict.fromkeys(("loss", "gradient_norm", "margin", "entropy", "least_confidence"), ASKING),
    "rho_loss": [{"of": "all", "limit": 40, "holdout": "validation"}],
    "pipeline": [
        {"stages": [{"name": "all_data"}, {"name": "uniform", "fraction": 0.3}, {"name": "new_data", "limit": 20}]},
        {"stages": [{"name": "reservoir", "limit": 90}, {"name": "balanced", "by": "label"}]},
        {"stages": [{"name": "new_data"}, {"name": "uniform", "fraction": 0.3}]},
        {"stages": [{"name": "all_data"}, {"name": "balanced", "by": "trigger", "tail": 3}]},
        {"stages": [{"name": "all_data"}, {"name": "loss", "limit": 5}]},
    ],
    "schedule": [{"strategies": [{"name": "all_data"}, {"name": "latest", "limit": 9, "from_trigger": 2}]}],
    "rs2": [{"of": "all"}, {}],
    "infobatch": [{"of": "all", "limit": 60}, {}],
}
CASES = [(name, options) for name, several in OPTIONS.items() for options in several]


def selected_after(name: str, options: dict[str, Any], history: list[int]) -> tuple[Any, ...]:
    """Keys, weights and rule of the last trigger."""
    strategy, kept, first = built(name, **options), b"", 0
    times, labels = [key * 3_600_000_000 for key in range(ROWS)], ["abc"[key * key % 7 % 3] for key in range(ROWS)]
    found: tuple[Any, ...] = ()
    for turn, stop in enumerate([*history, ROWS]):
        state = read_state(kept) if kept else None
        if strategy.observes:
            keys = np.arange(first, stop)
            of_rows = pa.chunked_array([labels[first:stop]], pa.string()) if strategy.wants_labels else None
            state = strategy.observe(Piece(keys=keys, rows=None, labels=of_rows, seed=5), state)
        ages = turn - np.searchsorted(history, np.arange(stop), side="right")
        request = asked(ages, times=times, labels=labels, seed=5, trigger_id=turn, turn=turn)
        pieces, after = strategy.select(request, state, None)
        lines = [(keys.tolist(), weights.tolist()) for keys, weights in pieces]
        found = sum((keys for keys, _ in lines), []), sum((some for _, some in lines), []), strategy.rule(request)
        kept, first = state_bytes(after) if after is not None else b"", stop
    return found


def test_each_strategy_is_put_to_the_test():
    """Whoever adds one adds its options here."""
    assert set(OPTIONS) == set(STRATEGIES.own)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_what_is_allowed_selects_the_same_whichever_triggers_came_before(name, options):
    """To the row, the weight, and the rule of the training."""
    if not list(of_strategy(block_of(name, **options))):
        first, *others = [selected_after(name, options, history) for history in HISTORIES]
        assert first[0]
        assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("new_data", {}, "new_data selects from the rows since the trigger before"),
        ("uniform", {"limit": 5}, "write `of: all`"),
        ("all_data", {"warm_up": 3}, "3 has the first triggers select otherwise"),
        ("all_data", {"reset_on_trigger": True}, "goes by what is new at a trigger"),
        ("freshness", {"limit": 5, "unused_share": 0.5}, "freshness goes by what was selected at earlier triggers"),
        ("loss", {"of": "all", "limit": 5}, "loss asks the model of the trigger before"),
        *(("schedule", one, "schedule goes by how many triggers came before") for one in OPTIONS["schedule"]),
        ("pipeline", OPTIONS["pipeline"][3], "does not say that it goes by rows alone"),
    ],
)
def test_what_is_not_says_why(name, options, why):
    """In a sentence."""
    ((path, told),) = of_strategy(block_of(name, **options))
    assert path.startswith("strategy")
    assert why in told


def test_all_that_is_in_the_way_is_told_at_its_line(small: Workplace) -> None:
    """Trainings that go on from a model, and a strategy that goes by triggers; none of it written is no way out."""
    small.pipeline["training"]["use_previous_model"] = True
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    with pytest.raises(ConfigurationError) as caught:
        refuse_dependent(load_both(*files, experiment_mode=True))
    training, strategy = caught.value.problems
    assert "pipeline.yaml:" in training
    assert "training.use_previous_model: has each training go on from the model before" in training
    assert "strategy: new_data selects from the rows since the trigger before" in strategy

"""The kinds of scenes: a stream, and a pipeline that follows it. Some trigger policies ask workers, some need not."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

ROWS, EVERY = 3_000, 500
_LOOK, _MOVED = 250, 2.0  # rows from one look to the next; how far features move, in their deviations
_MOVES_AT = (750, 1_500, 2_250)  # keys from which features lie elsewhere, or where they were
_HOUR_US = 3_600_000_000
_PIPELINE: dict[str, Any] = {
    "pipeline": {"name": "chaos"},
    "model": {"id": "mlp", "config": {"hidden": [64, 64], "num_classes": 2}},
    "training": {"epochs": 40, "batch_size": 16, "checkpoint_every_s": 0.2, "attempts": 50},
    "data": {"dataset": "rows", "split": {"test": 0.2}},
    "trigger": {"policy": "data_amount", "every": EVERY},
    "initial_mode": "replay",
    "evaluation": {
        "metrics": ["accuracy", "auroc"],
        "on": [
            {"name": "next", "window": "until_next_trigger"},
            {"name": "recent", "window": {"last": "10d"}, "split": "test"},
            {"name": "months", "window": {"every": "30d"}},
        ],
    },
    "deployment": {
        "gate": {"metric": "accuracy", "on": "recent", "at_least": 0.5, "not_worse_by": 0.2},
        "targets": [{"kind": "directory", "uri": "deployed"}],
    },
}
_REMEMBERED = 300  # rows
_SELECTED = 50  # lines of a journal, until all but the last two are selected
_DRIFT: dict[str, Any] = {"policy": "data_drift", "window": {"rows": _LOOK}}


class Kind(NamedTuple):
    """What is put into the pipeline. `moves`: so that a policy that looks at features fires at some looks only."""

    changes: dict[str, Any] = {}
    moves: bool = False
    lines: int = 100  # of the journal, within which faults begin; about as many as an undisturbed run's has

    @property
    def pipeline(self) -> dict[str, Any]:
        """The content of pipeline.yaml."""
        return _PIPELINE | self.changes

    @property
    def asks(self) -> bool:
        """Whether its policy asks workers."""
        return "trigger" in self.changes

    @property
    def remembers(self) -> bool:
        """Whether its strategy keeps a state from trigger to trigger."""
        return "strategy" in self.changes

    def rows(self) -> pa.Table:
        """Rows an hour apart; the label says whether x is above a threshold that drifts."""
        keys = np.arange(ROWS)
        x = np.random.default_rng(0).normal(size=(ROWS, 8)).astype(np.float32)
        if self.moves:
            x[np.searchsorted(_MOVES_AT, keys, side="right") % 2 == 1, :2] += _MOVED
        label = (x[:, 0] + x[:, 1] * np.sin(keys / 300) > 0).astype(np.int64)
        columns = {f"x{number}": x[:, number] for number in range(8)}
        timestamps = pa.array(keys * _HOUR_US, pa.timestamp("us", tz="UTC"))
        return pa.table({"timestamp": timestamps, **columns, "label": label})


def _training(**changes: Any) -> dict[str, Any]:
    return {"training": _PIPELINE["training"] | changes}


def _memory(name: str, **changes: Any) -> dict[str, Any]:
    """Selections wait for trainings, so that they lie all over the run."""
    return {"strategy": {"name": name, "config": {"limit": _REMEMBERED}}, **_training(max_in_flight=1, **changes)}


KINDS = {
    "in_line": Kind(),
    "side_by_side": Kind(_training(use_previous_model=False)),
    "drift": Kind({"trigger": _DRIFT}, moves=True),
    "drift_of_embedding": Kind({"trigger": _DRIFT | {"space": "embedding"}}, moves=True, lines=120),
    "reservoir": Kind(_memory("held_reservoir"), lines=_SELECTED),
    "gdumb": Kind(_memory("held_gdumb", use_previous_model=False), lines=_SELECTED),
}

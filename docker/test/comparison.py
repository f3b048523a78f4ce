"""Whether two runs came to the same."""

from __future__ import annotations

import json
from pathlib import Path

from engine import require

_OF_A_TRIGGER = ("id", "key", "timestamp", "reason", "samples_seen", "samples_selected", "deployed")
_FILES = ("training_sets/*.parquet", "models/*/model.safetensors", "evaluations.csv")


def compare(one: Path, other: Path) -> None:
    """End with a sentence unless triggers, training sets, weights and scores are the same to the byte."""
    require(_triggers(one) == _triggers(other), f"the triggers differ between {one} and {other}.")
    for pattern in _FILES:
        names = {str(file.relative_to(one)) for file in one.glob(pattern)}
        require(names == {str(file.relative_to(other)) for file in other.glob(pattern)} != set(), f"{pattern} differ.")
        for name in sorted(names):
            require((one / name).read_bytes() == (other / name).read_bytes(), f"{name} differs.")


def _triggers(run_dir: Path) -> list[list[object]]:
    """What was decided, without how long it took."""
    told = json.loads((run_dir / "summary.json").read_bytes())["trigger_list"]
    return [[trigger[key] for key in _OF_A_TRIGGER] for trigger in told]

"""Which strategies are compared, and with which options each trains on a share of the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

SHARES = (0.5, 0.25, 0.125)
BASELINES = "baselines"
ALL, NEW = "all_data", "new_data"

Block = dict[str, Any]  # as it stands in pipeline.yaml


class Size(NamedTuple):
    """How much is to be trained on."""

    share: float  # of the rows that all_data trains on, all triggers together
    limit: int  # rows of each trigger, at most, that come to this share
    half_life: str


def limit_of(share: float, all_rows: Sequence[int]) -> int:
    """The limit with which triggers that could take so many rows each take this share of their sum together."""
    wanted, low, high = share * sum(all_rows), 1, max(all_rows)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if sum(min(middle, rows) for rows in all_rows) >= wanted else (middle + 1, high)
    return low


def _limited(name: str, **options: Any) -> Callable[[Size], Block]:
    return lambda size: {"name": name, **options, "limit": size.limit}


def _stages(first: Block, size: Size) -> Block:
    """Twice as many rows by a strategy that costs nothing, and half of these by one that does."""
    return {"name": "pipeline", "stages": [first, {"name": "craig", "limit": size.limit}]}


# Family → how a strategy is called in the tables → its block for a size.
FAMILIES: Mapping[str, Mapping[str, Callable[[Size], Block]]] = {
    "plain": {
        "uniform": _limited("uniform", of="all"),
        "latest": _limited("latest"),
        "sliding_window": lambda size: {"name": "sliding_window", "rows": 2 * size.limit, "limit": size.limit},
        "recency": lambda size: {"name": "recency", "half_life": size.half_life, "limit": size.limit},
        "balanced by label": _limited("balanced", by="label", of="all"),
        "balanced by trigger": _limited("balanced", by="trigger", tail=9),
    },
    "memories": {
        "reservoir": _limited("reservoir"),
        "gdumb": _limited("gdumb"),
        "herding": _limited("herding"),
        "replay_mix": lambda size: {"name": "replay_mix", "memory_limit": size.limit, "limit": size.limit},
        "freshness": _limited("freshness", unused_share=0.5),
    },
    "coresets": {
        name: _limited(name, of="all")
        for name in ("k_center", "facility_location", "craig", "grad_match", "graph_cut", "log_determinant")
    },
    "importance": {
        **{
            name: _limited(name, of="all")
            for name in ("loss", "gradient_norm", "margin", "entropy", "least_confidence")
        },
        "rho_loss": _limited("rho_loss", of="all", holdout="validation"),
    },
    "rules": {
        "rs2": lambda size: {"name": "rs2", "of": "all", "share": size.share},
        "rs2 with replacement": lambda size: {"name": "rs2", "of": "all", "share": size.share, "replacement": True},
        "gradient_norm in batches": lambda size: {
            "name": "gradient_norm",
            "of": "all",
            "mode": "batch_then_sample",
            "fraction": size.share,
        },
        "infobatch": lambda _: {"name": "infobatch", "of": "all"},
    },
    "together": {
        "uniform, then craig": lambda size: _stages({"name": "uniform", "of": "all", "limit": 2 * size.limit}, size),
        "latest, then craig": lambda size: _stages({"name": "latest", "limit": 2 * size.limit}, size),
        "latest, later gradient_norm": lambda size: {
            "name": "schedule",
            "strategies": [
                {"name": "latest", "limit": size.limit},
                {"name": "gradient_norm", "of": "all", "limit": size.limit, "from_trigger": 2},
            ],
        },
    },
}
SIX = ("uniform", "latest", "gdumb", "k_center", "gradient_norm", "rs2")
# Their set is all rows, and a share of it is learned from in each epoch; how large that of infobatch is, nobody tells.
_LEARN_A_SHARE = ("rs2", "rs2 with replacement", "gradient_norm in batches")
OF_OWN_SIZE = ("infobatch",)


def families(stream: str) -> dict[str, list[str]]:
    """Family → its strategies that are compared on a stream: on digits all of them, on others six."""
    found = {family: [name for name in of if stream == "digits" or name in SIX] for family, of in FAMILIES.items()}
    return {BASELINES: [ALL, NEW], **{family: names for family, names in found.items() if names}}


def learned(label: str, share: float | None) -> float:
    """The share of the selected rows that each epoch learns from."""
    return share if share is not None and label in _LEARN_A_SHARE else 1.0


def block_of(family: str, label: str, size: Size) -> Block:
    """What stands below `strategy:`."""
    return {"name": label} if family == BASELINES else FAMILIES[family][label](size)

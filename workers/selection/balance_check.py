"""Whether rows can be balanced by their labels: found before a run starts, not at its first trigger."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from shared.config.pipeline import Pipeline
from shared.config.within import strategies_within
from shared.messages.reports import Finding
from shared.plugins import STRATEGIES
from workers.features.source import SampleSource
from workers.training.label_check import label_type
from workers.training.losses import LOSSES, loss_kind


def balance_findings(pipeline: Pipeline, source: SampleSource | None) -> list[Finding]:
    """That a strategy counts rows of each label apart where the loss learns numbers, and labels may be fractions.

    Whole numbers, such as ratings, are let be. Without rows nothing is judged. Raises DataError.
    """
    loss = pipeline.training.loss.name
    if source is None or loss not in LOSSES or loss_kind(pipeline.training.loss).task != "regression":
        return []
    balancing = list(_balancing(pipeline))
    kind = label_type(source) if balancing else None
    if kind is None or not _has_fractions(kind):
        return []
    return [
        Finding(
            path=path,
            sentence=f"{what} goes by classes, and {source.config.label} of dataset {source.config.name} holds numbers "
            f"with fractions ({kind}), which {loss} learns: hardly two of them are equal. {remedy}, or name a label of "
            "whole numbers.",
        )
        for path, what, remedy in balancing
    ]


def _balancing(pipeline: Pipeline) -> Iterator[tuple[str, str, str]]:
    """Where, what, and what to do."""
    strategy = pipeline.strategy
    for path, name, options in strategies_within(strategy.name, strategy.options):
        key = STRATEGIES[name].balances_by(options)
        if key == "name":
            yield f"{path}.name", name, "Choose a strategy that knows no classes, such as reservoir"
        elif key is not None:
            instead = "trigger" if options[key] == "label" else "reservoir"
            yield f"{path}.{key}", f"`{key}: {options[key]}` of {name}", f"Write `{key}: {instead}`"
    if strategy.balance is not None:
        yield "strategy.balance", f"`balance: {strategy.balance}`", "Remove it"


def _has_fractions(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or (pa.types.is_decimal(kind) and kind.scale > 0))

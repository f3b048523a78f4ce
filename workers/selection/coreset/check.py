"""What of a coreset's options can never be: found before a run starts, not at its second trigger."""

from __future__ import annotations

from shared.config.pipeline import Pipeline
from shared.config.within import strategies_within
from shared.messages.reports import Finding
from workers.selection.coreset.lines import CHOICES
from workers.training.losses import LOSSES, loss_kind


def per_class_findings(pipeline: Pipeline) -> list[Finding]:
    """That rows are to be chosen class by class where the loss learns numbers."""
    loss = pipeline.training.loss
    if loss.name not in LOSSES or loss_kind(loss).task != "regression":
        return []
    return [
        Finding(
            path=path,
            sentence=f"`per_class` of {name} has no meaning where labels are numbers, as under {loss.name}; remove it.",
        )
        for path, name, options in strategies_within(pipeline.strategy.name, pipeline.strategy.options)
        if name in CHOICES and options["per_class"]
    ]

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
    within = strategies_within(pipeline.strategy.name, pipeline.strategy.options)
    told = "has no meaning where labels are numbers, as under"
    return [
        Finding(path=one.path, sentence=f"`per_class` of {one.name} {told} {loss.name}; remove it.")
        for one in within
        if one.name in CHOICES and one.options.get("per_class")
    ]

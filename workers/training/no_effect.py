"""A rule of the training that would change nothing, found out before anything is trained."""

from __future__ import annotations

from shared.config.pipeline import Pipeline
from shared.config.within import Placed, strategies_within
from shared.messages.reports import Finding
from workers.training.order.infobatch import InfoBatch


def infobatch_findings(pipeline: Pipeline) -> list[Finding]:
    """That so few epochs leave none out of which infobatch could leave rows."""
    within = strategies_within(pipeline.strategy.name, pipeline.strategy.options)
    told = (_finding(one, pipeline.training.epochs) for one in within if one.name == "infobatch")
    return [finding for finding in told if finding is not None]


def _finding(placed: Placed, epochs: int) -> Finding | None:
    left_out, whole = placed.options["left_out"], placed.options["whole"]

    def prunes(epochs: int) -> bool:
        return InfoBatch(1, epochs, 0, left_out=left_out, whole=whole).prunes

    if prunes(epochs):
        return None
    enough = next((some for some in range(epochs, 3 * max(epochs, 10)) if prunes(some)), None)
    remedy = "Write another left_out or whole" if enough is None else f"Write `epochs: {enough}` or more"
    sentence = (
        f"infobatch leaves no rows out with `epochs: {epochs}`: the first knows no losses, and the last, `whole` = "
        f"{whole:g} of them, learn from all rows. {remedy}, or choose another strategy."
    )
    return Finding(path=placed.path, sentence=sentence)

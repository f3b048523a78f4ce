"""Losses of models by row: what `python -m workers.row_losses` is asked, and its answers."""

from __future__ import annotations

from shared.config.pipeline import Metric
from shared.messages.message import Body
from shared.messages.rescore import Mask
from shared.messages.tasks import Device, ModelRef


class LossFile(Body, frozen=True, kw_only=True):
    """A model, from which row on it is measured, and where that is written."""

    model: ModelRef
    first_key: int
    path: str  # of an absent file: float64, .npy; item i is the sum over the first i rows from `first_key` on
    close: str | None = None  # a file as that, of how many losses rounding decides; of a metric that is a share


class MeasureLosses(Body, frozen=True, kw_only=True):
    """Measure models of a run on all rows up to one."""

    run: int  # which of the setup records that came first
    models: tuple[LossFile, ...]  # at least one
    last_key: int
    metric: Metric
    mask: Mask  # the rows that count, if they have a label
    device: Device = "cpu"  # that the run's scores are of; where there is none of its kind here, the CPU does
    counts: str | None = None  # a file as those of losses, of how many rows count from the first model's row on


class LossesMeasured(Body, frozen=True, kw_only=True):
    """They are written; or why they are not."""

    run: int
    error: str | None = None  # a sentence that names run and model

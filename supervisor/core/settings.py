"""What of pipeline.yaml the decisions depend on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from shared.config.pipeline import Every, Last, Pipeline, UntilNextTrigger, Window
from shared.config.system import System
from shared.messages.tasks import Device
from shared.strategies.build import strategy_of

LabelsCome = Literal["with_rows", "delayed", "in_table"]  # with their rows, a while after them, or one by one


def _always(turn: int) -> bool:
    return True


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Values of pipeline.yaml, as the decisions ask for them."""

    use_previous_model: bool
    members: int  # of a training, which are gathered to one model
    max_in_flight: int
    coalesce: bool
    continue_on_failure: bool
    earlier_triggers: int  # whose keys a selection is told
    reads_model: bool = False  # whether a selection ever asks the current model
    reads_model_at: Callable[[int], bool] = _always  # and whether it does after so many that selected something
    deploys: bool
    gate_window: str | None
    prequential: tuple[Window, ...]  # the first makes the composite
    gated: tuple[Window, ...]  # windows that end at the watermark
    recurring: tuple[str, ...] = ()  # names of the windows that cut the stream into slices
    training_device: Device = "cpu"  # what trainings need: cuda, or nothing that not every worker has
    labels: LabelsCome = "with_rows"
    newest: int | None
    estimates: bool = False  # whether scores are estimated as well
    attempts: int
    models_kept: int | None  # how many of the newest are kept; None: all

    @classmethod
    def of(cls, pipeline: Pipeline, system: System | None = None) -> Settings:
        """The settings of a pipeline; `system`: None where it only is tried out."""
        labels: LabelsCome = "delayed" if pipeline.data.label_delay_s else "with_rows"
        if system is not None and system.datasets[pipeline.data.dataset].labels is not None:
            labels = "in_table"
        deployment = pipeline.deployment
        strategy = strategy_of(pipeline.strategy)
        return cls(
            use_previous_model=pipeline.training.use_previous_model,
            members=pipeline.training.workers,
            max_in_flight=pipeline.training.max_in_flight,
            coalesce=pipeline.training.backlog == "coalesce",
            continue_on_failure=pipeline.training.on_failure == "continue",
            earlier_triggers=strategy.earlier_triggers,
            reads_model=strategy.reads_model,
            reads_model_at=strategy.reads_model_at,
            deploys=deployment is not None,
            gate_window=deployment.gate.on if deployment and deployment.gate else None,
            prequential=tuple(one for one in pipeline.evaluation.on if isinstance(one.extent, UntilNextTrigger)),
            gated=tuple(window for window in pipeline.evaluation.on if isinstance(window.extent, Last)),
            recurring=tuple(window.name for window in pipeline.evaluation.on if isinstance(window.extent, Every)),
            training_device="cuda" if pipeline.training.device == "cuda" else "cpu",
            labels=labels,
            newest=pipeline.evaluation.newest,
            estimates=pipeline.evaluation.estimate is not None,
            attempts=pipeline.training.attempts,
            models_kept=None if system is None else system.retention.models,
        )

"""What a training and an error cost, in one currency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.config import pipeline
from shared.config.pipeline import Metric


class Price(NamedTuple):
    """Of a training or of a second of one, the other is 0, and of an error."""

    training: float
    gpu_second: float
    error: float
    written: Any  # as the file has it: a number, or a group

    @classmethod
    def read(cls, values: Mapping[str, Any], written: Any) -> Price:
        """`values`: as the schema loads it."""
        return cls(values["training"] or 0.0, values["gpu_second"] or 0.0, values["error"], written)

    @classmethod
    def of_policy(cls, price: pipeline.Price) -> Price:
        """That of a `trigger:` group."""
        return cls(price.training, 0.0, price.error, {"training": price.training, "error": price.error})

    def of(self, trainings: int, gpu_s: float, loss: float) -> float:
        """What so many trainings, so many seconds of them, and so much loss cost together."""
        return self.training * trainings + self.gpu_second * gpu_s + self.error * loss

    @property
    def text(self) -> str:
        """For people: `5 a training, 0.01 an error`."""
        of_training = f"{self.training:g} a training" if self.training else f"{self.gpu_second:g} a GPU second"
        return f"{of_training}, {self.error:g} an error"

    def block(self, metric: Metric) -> dict[str, Any] | None:
        """`price:` as a `trigger:` group has it; None of one that is of seconds, which no policy weighs."""
        if not self.training:
            return None
        given = {"training": _plain(self.training), "error": _plain(self.error)}
        return given if metric.label == "accuracy" else {**given, "metric": _as_written(metric)}


def _plain(number: float) -> float:
    """As people write it: without a fraction where it has none."""
    return int(number) if number.is_integer() else number


def _as_written(metric: Metric) -> Any:
    return {"name": metric.name, **metric.options} if metric.options else metric.name

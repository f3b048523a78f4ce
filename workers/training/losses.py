"""The losses: what labels each takes, and what a model trained under it predicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import msgspec
import torch
from torch import nn

from shared.config.pipeline import Component
from shared.messages.reports import Finding
from workers.construction import FindingsError, Part, make, near_miss, wrong_arguments

Task = Literal["classification", "regression"]
LabelKind = Literal["class", "binary", "sign", "value"]


class LossKind(msgspec.Struct, frozen=True, kw_only=True):
    """How a loss reads outputs and labels.

    `class`: outputs (n, classes), int64 labels. `binary`, `sign`: one output, labels 0 and 1 (given to `sign` losses
    as −1 and 1). `value`: one output, any number.
    """

    labels: LabelKind
    predict: Callable[[torch.Tensor], torch.Tensor]  # raw outputs → probabilities or values

    @property
    def task(self) -> Task:
        """What is learned, and so which metrics make sense."""
        return "regression" if self.labels == "value" else "classification"


def _softmax(outputs: torch.Tensor) -> torch.Tensor:
    return torch.softmax(outputs, dim=1)


def _itself(outputs: torch.Tensor) -> torch.Tensor:
    return outputs


LOSSES: dict[str, LossKind] = {
    "CrossEntropyLoss": LossKind(labels="class", predict=_softmax),
    "NLLLoss": LossKind(labels="class", predict=torch.exp),
    "MultiMarginLoss": LossKind(labels="class", predict=_softmax),
    "BCEWithLogitsLoss": LossKind(labels="binary", predict=torch.sigmoid),
    "BCELoss": LossKind(labels="binary", predict=_itself),
    "SoftMarginLoss": LossKind(labels="sign", predict=torch.sigmoid),
    "MSELoss": LossKind(labels="value", predict=_itself),
    "L1Loss": LossKind(labels="value", predict=_itself),
    "SmoothL1Loss": LossKind(labels="value", predict=_itself),
    "HuberLoss": LossKind(labels="value", predict=_itself),
    "PoissonNLLLoss": LossKind(labels="value", predict=torch.exp),
}

_OURS = {
    "reduction": "the loss is always the mean over the batch",
    "reduce": "the loss is always the mean over the batch",
    "size_average": "the loss is always the mean over the batch",
    "ignore_index": "every row with a label is learned from",
}
_TENSOR_ARGUMENTS = ("weight", "pos_weight")


class Learned(NamedTuple):
    """The loss of a batch that was learned from."""

    loss: torch.Tensor  # one number: the mean over the batch, each row's loss times its weight
    of_rows: torch.Tensor | None  # (batch,), without weights, where an objective tells it


class Objective:
    """The loss of a training: outputs, labels and weights of a batch → one number."""

    def __init__(self, kind: LossKind, function: nn.Module) -> None:
        self._kind, self._function = kind, function

    def to(self, device: torch.device, dtype: torch.dtype | None = None) -> Objective:
        """Itself, with class weights on the device, and of the type of the outputs that it is to take."""
        self._function.to(device, dtype)
        return self

    def __call__(self, outputs: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
        """Mean over the batch, each row's loss times its weight. Outputs (n, classes), (n, 1) or (n,), labels (n,)."""
        loss = self._of(outputs, labels)
        return loss if weights is None else (loss * weights).mean()

    def learned(self, outputs: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None) -> Learned:
        """The same, and beside it the losses of the rows where it is made for weights; without weights all are 1."""
        loss = self._of(outputs, labels)
        if loss.dim() == 0:
            return Learned(loss, None)
        return Learned((loss if weights is None else loss * weights).mean(), loss)

    def _of(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if self._kind.labels != "class":
            outputs = outputs.reshape(labels.shape)
        loss: torch.Tensor = self._function(outputs, labels)
        return loss


def loss_kind(loss: Component) -> LossKind:
    """How the named loss reads outputs and labels. Raises FindingsError for a name that cannot be used."""
    if loss.name not in LOSSES:
        raise FindingsError(_unknown_loss(loss.name))
    if loss.name == "PoissonNLLLoss" and loss.config.get("log_input") is False:
        return LossKind(labels="value", predict=_itself)
    return LOSSES[loss.name]


def make_objective(loss: Component, *, weighted: bool = False) -> Objective:
    """The named loss, for batches with weights or without. Raises FindingsError for unknown names, wrong arguments."""
    kind, part = loss_kind(loss), _part(loss)
    if findings := loss_findings(loss):
        raise FindingsError(*findings)
    function = make(part, reduction="none" if weighted else "mean")
    return Objective(kind, function)


def loss_findings(loss: Component) -> list[Finding]:
    """All that is wrong with the loss's name and the names of its arguments."""
    if loss.name not in LOSSES:
        return [_unknown_loss(loss.name)]
    part = _part(loss)
    refused = [
        Finding(path=f"{part.path}.{name}", sentence=f"{name} cannot be set: {why}; leave it out.")
        for name, why in _OURS.items()
        if name in part.config
    ]
    given = {name: value for name, value in part.config.items() if name not in _OURS}
    return refused + wrong_arguments(msgspec.structs.replace(part, config=given), _OURS)


def prepare_labels(kind: LossKind, labels: torch.Tensor) -> torch.Tensor:
    """Checked labels (n,) in the type the loss wants: int64 for classes, else float32."""
    if kind.labels == "class":
        return labels.to(torch.int64)
    floats = labels.to(torch.float32)
    return floats.mul(2).sub(1) if kind.labels == "sign" else floats


def predictions(kind: LossKind, outputs: torch.Tensor) -> torch.Tensor:
    """Raw outputs → probabilities (n, classes) for classification, values (n,) for regression."""
    predicted = kind.predict(outputs)
    if kind.labels == "class":
        return predicted
    predicted = predicted.reshape(len(outputs))
    return predicted if kind.labels == "value" else torch.stack([1 - predicted, predicted], dim=1)


def _part(loss: Component) -> Part:
    config = {name: _as_tensor(name, value) for name, value in loss.config.items()}
    return Part(name=loss.name, path="training.loss.config", factory=getattr(nn, loss.name), config=config)


def _as_tensor(name: str, value: Any) -> Any:
    if name not in _TENSOR_ARGUMENTS or not isinstance(value, list | int | float):
        return value
    try:
        return torch.tensor(value, dtype=torch.float32)
    except (TypeError, ValueError):
        return value  # the constructor says what it thinks of it


def _unknown_loss(name: str) -> Finding:
    listed = ", ".join(LOSSES)
    if name.endswith("Loss") and hasattr(nn, name):
        sentence = f"torch.nn.{name} does not learn from one label for each row, as rows have it. Usable: {listed}."
    else:
        guess = near_miss(name, LOSSES) or "."
        sentence = f"there is no loss {name} in torch.nn that can be used here{guess} Usable: {listed}."
    return Finding(path="training.loss.name", sentence=sentence)

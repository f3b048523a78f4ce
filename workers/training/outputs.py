"""How many numbers a model gives for a row, and whether the loss can use that many."""

from __future__ import annotations

import torch
from torch import nn

from shared.config.pipeline import Component
from shared.errors import ModynError
from shared.messages.reports import Finding
from workers.construction import FindingsError
from workers.features.encoder import FeatureEncoder
from workers.features.matrix import model_input
from workers.training.losses import loss_kind


def count_outputs(model: nn.Module, encoder: FeatureEncoder, loss: Component) -> int:
    """Classes the model tells apart, or 1 for one number a row; found by showing it two empty rows.

    Leaves weights and torch's random state as they were. Raises FindingsError if the model fails on the dataset's
    inputs, or gives what the loss cannot use.
    """
    dtype = torch.float32 if encoder.inputs.kind == "table" else torch.uint8
    rows = torch.zeros((2, encoder.inputs.width), dtype=dtype)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            outputs = model(model_input(rows, encoder))
    except ModynError:
        raise
    except Exception as error:  # the user's forward raises anything
        raise FindingsError(_forward_failed(encoder, error)) from error
    finally:
        model.train(was_training)
    return _checked_count(outputs, loss)


def _checked_count(outputs: object, loss: Component) -> int:
    """The number of outputs for each of two rows. Raises FindingsError for what the loss cannot use."""
    if not isinstance(outputs, torch.Tensor) or outputs.dim() not in {1, 2} or len(outputs) != 2:
        shape = list(outputs.shape) if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        sentence = f"the model gives {shape} for a batch of 2 rows; it must return a tensor (batch, num_classes)."
        raise FindingsError(Finding(path="model.id", sentence=sentence))
    count = 1 if outputs.dim() == 1 else outputs.shape[1]
    if loss_kind(loss).labels == "class" and (count < 2 or outputs.dim() == 1):
        remedy = "write num_classes: 2 or more, or choose BCEWithLogitsLoss (two classes) or MSELoss (numbers)"
    elif loss_kind(loss).labels != "class" and count != 1:
        remedy = "write num_classes: 1, or choose CrossEntropyLoss"
    else:
        return count
    sentence = f"the model gives {count} number{'s' * (count != 1)} for a row, which {loss.name} cannot use; {remedy}."
    raise FindingsError(Finding(path="model.config.num_classes", sentence=sentence))


def _forward_failed(encoder: FeatureEncoder, error: Exception) -> Finding:
    shape = ["batch", *encoder.inputs.shape]
    sentence = f"the model fails on the dataset's {encoder.inputs.kind} of shape {shape}: {error}."
    return Finding(path="model.id", sentence=sentence)

"""Model, optimizer, schedule and loss of one training, and what they do with a batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from shared.blame import blame
from shared.config.pipeline import Training
from shared.errors import ModynError, TrainingError
from shared.messages.reports import Finding
from workers.construction import FindingsError
from workers.failures import explain
from workers.training.arithmetic import Arithmetic
from workers.training.losses import Learned, Objective, make_objective
from workers.training.optimizers import Schedule, make_optimizer, make_schedule
from workers.training.randomness import random_state, restore_random_state


class Learner:
    """All that changes while a training goes on."""

    def __init__(self, model: nn.Module, training: Training, device: torch.device, *, weighted: bool) -> None:
        """Raises FindingsError for an optimizer, scheduler, loss or precision that cannot be had as the file says."""
        self.model = model.to(device).train()
        self.optimizer: Optimizer = make_optimizer(training.optimizer, model.parameters(), device)
        self.schedule: Schedule = make_schedule(training.lr_scheduler, self.optimizer)
        self._objective: Objective = make_objective(training.loss, weighted=weighted).to(device)
        self._arithmetic = Arithmetic(training.precision, device)
        if self._arithmetic.scales and isinstance(self.optimizer, torch.optim.LBFGS):
            sentence = "LBFGS evaluates a step several times, which fp16's scaled gradients do not allow; write bf16."
            raise FindingsError(Finding(path="training.precision", sentence=sentence))
        self._clip_norm = training.gradient_clip_norm
        self._parameters = list(model.parameters())

    def step(self, inputs: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None) -> Learned:
        """Learn from a batch; the loss before it did, still on the device: reading it there would wait for the GPU.

        Raises TrainingError for whatever the model, the loss or the optimizer raises.
        """
        first: list[Learned] = []

        def loss_and_gradients() -> torch.Tensor:
            self.optimizer.zero_grad(set_to_none=True)
            with self._arithmetic.forward():
                outputs = self.model(inputs)
            loss, of_rows = self._objective.learned(self._arithmetic.outputs(outputs), labels, weights)
            if not first:
                first.append(Learned(loss.detach(), None if of_rows is None else of_rows.detach()))
            self._arithmetic.backward(loss)
            if self._clip_norm is not None:
                self._arithmetic.unscale(self.optimizer)
                nn.utils.clip_grad_norm_(self._parameters, self._clip_norm)
            return loss

        try:
            if self._arithmetic.scales:
                loss_and_gradients()
                self._step_scaled()
            else:  # as a closure, because LBFGS evaluates the loss several times in a step
                self.optimizer.step(loss_and_gradients)  # type: ignore[arg-type]
                self.schedule.after_batch()
        except ModynError:
            raise
        except Exception as error:
            raise _blamed(error, len(inputs)) from error
        return first[0]

    def outputs(self, inputs: torch.Tensor) -> torch.Tensor:
        """What the model, as it is now, predicts by, (batch, outputs); nothing is learned, and no random number drawn.

        Raises TrainingError for whatever the model raises.
        """
        self.model.eval()
        try:
            with torch.no_grad(), self._arithmetic.forward():
                return self._arithmetic.outputs(self.model(inputs))
        except ModynError:
            raise
        except Exception as error:
            raise _blamed(error, len(inputs)) from error
        finally:
            self.model.train()

    def _step_scaled(self) -> None:
        """A step that is left out when a gradient was too large; to know whether it was waits for the device."""
        if not self.schedule.steps_by_batch:
            self._arithmetic.step(self.optimizer)
            return
        before = self._arithmetic.scale()
        self._arithmetic.step(self.optimizer)
        if self._arithmetic.scale() >= before:
            self.schedule.after_batch()

    def state(self) -> dict[str, Any]:
        """All of it, and torch's random numbers, for a checkpoint."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "arithmetic": self._arithmetic.state_dict(),
            "random": random_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken, to the bit on the same CPU."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self._arithmetic.load_state_dict(state["arithmetic"])
        restore_random_state(state["random"])


def _blamed(error: Exception, rows: int) -> TrainingError:
    """What is said of an error on a batch of so many rows."""
    return TrainingError(explain(error, rows) or f"The model failed on a batch of {rows} rows: {blame(error)}")

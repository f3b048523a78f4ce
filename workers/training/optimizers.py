"""Optimizers and schedulers of torch by name."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable
from typing import Any

import torch
from torch.optim import Optimizer, lr_scheduler

from shared.config.pipeline import Component, Scheduler
from shared.messages.reports import Finding
from workers.construction import FindingsError, Part, make, near_miss

_NEEDS_MORE = {
    "LambdaLR": "needs a function, which a file cannot hold",
    "MultiplicativeLR": "needs a function, which a file cannot hold",
    "SequentialLR": "needs other schedulers, and the file names one",
    "ChainedScheduler": "needs other schedulers, and the file names one",
}


def _classes(module: Any, base: type) -> dict[str, type]:
    """The public subclasses of `base` in a torch module."""
    found = {name: getattr(module, name) for name in sorted(dir(module)) if name[0].isupper()}
    return {name: one for name, one in found.items() if isinstance(one, type) and issubclass(one, base) and one != base}


OPTIMIZERS = _classes(torch.optim, Optimizer)
SCHEDULERS = {
    name: one for name, one in _classes(lr_scheduler, lr_scheduler.LRScheduler).items() if name not in _NEEDS_MORE
}


def make_optimizer(
    optimizer: Component, parameters: Iterable[torch.nn.Parameter], device: torch.device | None = None
) -> Optimizer:
    """The named optimizer over the parameters that are trained, all of its steps in one kernel where torch can do that.

    Raises FindingsError.
    """
    if optimizer.name not in OPTIMIZERS:
        raise FindingsError(_unknown("optimizer", optimizer.name, OPTIMIZERS))
    path = "training.optimizer.config"
    config = {**_fused(OPTIMIZERS[optimizer.name], device), **optimizer.config}
    if any(optimizer.config.get(way) for way in ("foreach", "differentiable")):
        config.pop("fused", None)
    part = Part(name=optimizer.name, path=path, factory=OPTIMIZERS[optimizer.name], config=config)
    made: Optimizer = make(part, [parameter for parameter in parameters if parameter.requires_grad])
    return made


def _fused(optimizer: type, device: torch.device | None) -> dict[str, bool]:
    """On a GPU small models wait for kernels to be launched: one for all parameters instead of some for each."""
    offered = "fused" in inspect.signature(optimizer).parameters
    return {"fused": True} if offered and device is not None and device.type == "cuda" else {}


class Schedule:
    """A scheduler and when it steps; without one, the learning rate stays."""

    def __init__(self, scheduler: lr_scheduler.LRScheduler | None, every: str) -> None:
        self._scheduler, self._every = scheduler, every

    @property
    def steps_by_batch(self) -> bool:
        """Whether it has to know of every batch."""
        return self._scheduler is not None and self._every == "batch"

    @property
    def most_steps(self) -> int | None:
        """How often it can step; None: for ever."""
        total: int | None = getattr(self._scheduler, "total_steps", None)  # only OneCycleLR ends
        return total

    def after_batch(self) -> None:
        """To be called after each optimizer step."""
        if self._scheduler is not None and self.steps_by_batch:
            self._scheduler.step()

    def after_epoch(self, mean_loss: float) -> None:
        """To be called after each epoch, with its mean loss."""
        if self._scheduler is None or self._every != "epoch":
            return
        with warnings.catch_warnings():
            # Resumed behind the last batch of an epoch, the optimizer has stepped, but in another process.
            warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")
            if isinstance(self._scheduler, lr_scheduler.ReduceLROnPlateau):
                self._scheduler.step(mean_loss)
            else:
                self._scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, for a checkpoint."""
        return {} if self._scheduler is None else self._scheduler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        if self._scheduler is not None:
            self._scheduler.load_state_dict(state)


def make_schedule(scheduler: Scheduler | None, optimizer: Optimizer) -> Schedule:
    """The named scheduler on this optimizer. Raises FindingsError."""
    if scheduler is None:
        return Schedule(None, "epoch")
    if scheduler.name in _NEEDS_MORE:
        sentence = f"{scheduler.name} {_NEEDS_MORE[scheduler.name]}. There are {', '.join(SCHEDULERS)}."
        raise FindingsError(Finding(path="training.lr_scheduler.name", sentence=sentence))
    if scheduler.name not in SCHEDULERS:
        raise FindingsError(_unknown("lr_scheduler", scheduler.name, SCHEDULERS))
    if scheduler.name == "ReduceLROnPlateau" and scheduler.every == "batch":
        sentence = "ReduceLROnPlateau looks at the mean loss of an epoch, so it cannot step every batch; write epoch."
        raise FindingsError(Finding(path="training.lr_scheduler.every", sentence=sentence))
    path = "training.lr_scheduler.config"
    part = Part(name=scheduler.name, path=path, factory=SCHEDULERS[scheduler.name], config=scheduler.config)
    return Schedule(make(part, optimizer), scheduler.every)


def _unknown(kind: str, name: str, known: dict[str, type]) -> Finding:
    guess = near_miss(name, known) or "."
    sentence = f"torch has no {kind.replace('_', ' ')} {name}{guess} There are {', '.join(known)}."
    return Finding(path=f"training.{kind}.name", sentence=sentence)

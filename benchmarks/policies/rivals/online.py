"""The online policies of the package retrainopt, Base and Learned, told what they may know.

A step is a window. As its documentation has it, the exact plan of the steps that may be learned from is made first;
Base takes its mean period from that plan, and Learned fits forests to the states in which the plan retrains or keeps.
Both then decide step by step in the package's own controller.

The package lets a policy see the labels of a step before it decides which model serves that step. Here nobody does: the
model in use is heard for the window before, and only what a new model loses in its own first window, its reference, is
heard one step later. All models are of one size, so that only when to retrain is left to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from retrainopt import (
    BaseOnlinePolicy,
    Decision,
    DecisionAction,
    LearnedOnlinePolicy,
    ModelAdapter,
    OnlineController,
    OnlinePolicy,
    OnlineState,
    OnlineStepResult,
    PlannerConfig,
    PlanResult,
    TimelineDataset,
    collect_online_training_data,
)

from benchmarks.policies.matrix import Matrix
from benchmarks.policies.rivals.ruling import Ruling

_CONFIG = PlannerConfig(n_choices=(1.0,), random_seed=0)
_FIRST = 0  # the model that is there at first


def base(matrix: Matrix, price: float, learned: int) -> Ruling:
    """Retrains with the mean period of the plan."""
    policy = BaseOnlinePolicy.from_plan(_plan(matrix.first(learned), price))
    return Ruling(_retrained(_run(matrix, price, policy)), {"windows": policy.period})


def learned_policy(matrix: Matrix, price: float, learned: int) -> Ruling:
    """Retrains where the plan did in states like this one, as forests tell."""
    known = matrix.first(learned)
    plan = _plan(known, price)
    states = [one.state for one in _run(known, price, _Planned(tuple(plan.decisions)))]
    policy = LearnedOnlinePolicy(random_seed=0).fit(states, plan.decisions)
    planned = sum(one.action == DecisionAction.RETRAIN for one in plan.decisions)
    return Ruling(_retrained(_run(matrix, price, policy)), {"trainings of the plan": planned})


class _Windows(TimelineDataset):
    """Steps without content: both blocks are the number of the window, of which the adapter knows the losses."""

    def __init__(self, windows: int) -> None:
        self._windows = windows

    @property
    def num_steps(self) -> int:
        return self._windows

    def get_train_block(self, step: int) -> list[int]:
        return [step]

    def get_eval_block(self, step: int) -> list[int]:
        return [step]

    def train_size(self, step: int) -> int:
        return 1


class _Models(ModelAdapter):
    """Models are their numbers; what they lose stands in the matrix."""

    def __init__(self, matrix: Matrix) -> None:
        self._losses = matrix.losses

    def fit(self, train_data: Any, *, step: int, n_samples: int, random_seed: int) -> int:
        return step

    def evaluate(self, model: int, eval_data: Any, *, step: int) -> float:
        return float(self._losses[model, step])


class _Heard(_Models):
    """What is known at the beginning of a step: losses of the window before.

    A new model's loss in its first window is asked for at once, and not looked at before the next step.
    """

    def evaluate(self, model: int, eval_data: Any, *, step: int) -> float:
        return super().evaluate(model, eval_data, step=max(step - 1, model))


class _Planned(NamedTuple):
    """Does what a plan says."""

    decisions: tuple[Decision, ...]

    def decide(self, state: OnlineState, *, train_size: int) -> Decision:
        return self.decisions[state.step]


class _Price(NamedTuple):
    """Of a training, in units of loss."""

    price: float

    def __call__(self, *, step: int, n_samples: int, training_seconds: float, model: Any) -> float:
        return self.price


def _plan(known: Matrix, price: float) -> PlanResult:
    """The least costly schedule of windows that are all over."""
    windows, models = _Windows(known.windows), _Models(known)
    first_loss = float(known.losses[_FIRST, 0])
    return collect_online_training_data(
        windows,
        models,
        _CONFIG,
        history_steps=known.windows,
        initial_model=_FIRST,
        initial_reference_loss=first_loss,
        training_cost_fn=_Price(price),
    ).plan


def _run(matrix: Matrix, price: float, policy: OnlinePolicy) -> list[OnlineStepResult]:
    """The controller's steps, from the first window to the last."""
    controller = OnlineController(
        _Windows(matrix.windows),
        _Heard(matrix),
        policy,
        _CONFIG,
        initial_model=_FIRST,
        initial_reference_loss=float(matrix.losses[_FIRST, 0]),
        training_cost_fn=_Price(price),
    )
    return [controller.step() for _ in range(matrix.windows)]


def _retrained(steps: Sequence[OnlineStepResult]) -> tuple[int, ...]:
    return tuple(one.state.step for one in steps if one.decision.action == DecisionAction.RETRAIN)

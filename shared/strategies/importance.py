"""Strategies that choose rows by what there is to be learned from them, as the current model sees it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from marshmallow import ValidationError

from shared.config import fields as f
from shared.strategies.by_scores import by_scores
from shared.strategies.common import Seeded, SelectsFrom, Sized, seed_of, size_of, sized
from shared.strategies.strategy import CurrentModel, Pieces, Request, State, unweighted
from shared.strategies.weighted_draws import UNIFORM, Places, Scores, Weights, largest, with_replacement
from shared.training_rule import TrainingRule

_HOW = "drawn in proportion to the scores, with weights that make up for it, or the largest scores, which is biased"


class Scored(SelectsFrom):
    """The base: until there is a model, so many rows at random."""

    reads_model = True

    def _at_random(self, request: Request) -> Pieces:
        """As `uniform` selects."""
        return unweighted(sized(lambda: self._rows(request), self._options, request))


class Importance(Scored):
    """Rows by one measure: drawn in proportion to it, or the largest; before the training, or within each batch.

    All scores are held at once, 8 bytes a row and some 32 while it is chosen; rows are read piece by piece. A row that
    is drawn m times stands m times. What is drawn in proportion has weights 1/(n·p), and its mean gradient is that of
    all rows, but for chance; the largest have weights 1, and it is not.
    """

    measure: ClassVar[str]

    class Schema(Sized, Seeded):
        """Its options."""

        how = f.Choice(_HOW, "proportional", "largest", load_default="proportional")
        uniform = f.Number(
            f"with `how: proportional`, the share of the draws for which all rows are as likely; no weight is above "
            f"1/uniform. Without it {UNIFORM:g}",
            least=0,
            load_default=None,
        )
        seed = f.Whole(
            "seed of the draw; of the largest scores nothing is drawn, so with `how: largest` it counts only until "
            "there is a model. Without it training.seed",
            least=0,
            load_default=None,
        )
        mode = f.Choice(
            "a training set is chosen before the training; or all rows are trained on, and it is chosen in each batch "
            "by the model as it is then",
            "sample_then_batch",
            "batch_then_sample",
            load_default="sample_then_batch",
        )

        @f.validates_schema
        def _that_fit(self, data: Mapping[str, Any], **kwargs: Any) -> None:
            _refuse_uniform(data)
            if data.get("mode") != "batch_then_sample":
                return
            if data.get("limit") is not None:
                sentence = "has no meaning with `mode: batch_then_sample`, which trains on a share of each batch;"
                raise ValidationError({"limit": [f"{sentence} write `fraction` instead."]})
            if data.get("how") != "largest":
                return
            if data.get("seed") is not None:
                sentence = "has no meaning with `mode: batch_then_sample` and `how: largest`, where nothing is drawn;"
                raise ValidationError({"seed": [f"{sentence} remove it."]})
            if data.get("fraction") == 1:
                sentence = "1 leaves no row of a batch out, so all are learned from as without this strategy;"
                raise ValidationError({"fraction": [f"{sentence} write a share below 1, such as 0.25."]})

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._in_batches = options["mode"] == "batch_then_sample"
        self.reads_model = not self._in_batches
        self.forgets_triggers = self._in_batches
        self.weighs = not self._in_batches and options["how"] == "proportional"

    @property
    def rules(self) -> bool:
        """Where it is chosen in each batch."""
        return bool(self._in_batches)

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """By the current model's scores; all rows, where it is chosen in each batch."""
        if self._in_batches:
            return unweighted(self._rows(request)), state
        if model is None:
            return self._at_random(request), state
        ask, choose = partial(model.scores, self.measure), partial(self._chosen, seed=seed_of(self._options, request))
        return by_scores(lambda: self._rows(request), ask, choose), state

    def rule(self, request: Request) -> TrainingRule | None:
        """How a share of each batch is chosen."""
        if not self._in_batches:
            return None
        options = {
            "measure": self.measure,
            "share": self._options["fraction"],
            "how": self._options["how"],
            "seed": seed_of(self._options, request),
        }
        return TrainingRule(name="batch_then_sample", options=options)

    def _chosen(self, scores: Scores, seed: int) -> tuple[Places, Weights]:
        size = size_of(self._options, len(scores))
        if self._options["how"] == "largest":
            return largest(scores, size)
        uniform = self._options["uniform"]
        return with_replacement(scores, size, seed, UNIFORM if uniform is None else uniform)


def _refuse_uniform(data: Mapping[str, Any]) -> None:
    """Raise ValidationError for a share of uniform draws where it is none, or where nothing is drawn by it."""
    uniform = data.get("uniform")
    if uniform is None:
        return
    for key, value in (("how", "largest"), ("mode", "batch_then_sample")):
        if data.get(key) == value:
            raise ValidationError({"uniform": [f"has no meaning with `{key}: {value}`; remove one of them."]})
    if uniform > 1:
        raise ValidationError({"uniform": [f"{uniform:g} is more than all; write a share, such as {UNIFORM:g}."]})


class Loss(Importance):
    """By the loss that the model was trained under."""

    measure = "loss"


class GradientNorm(Importance):
    """By the norm of the gradient by the last layer's weights: what is drawn so has the least variance."""

    measure = "gradient_norm"


class _OfClasses(Importance):
    """By how unsure the model is of a row's class: the most unsure are what there is to learn."""

    class Schema(Importance.Schema):
        """The largest are the default: these scores know no labels, so draws in proportion to them gain no variance."""

        how = f.Choice(_HOW, "proportional", "largest", load_default="largest")


class Margin(_OfClasses):
    """By how near the likeliest two classes are."""

    measure = "margin"


class Entropy(_OfClasses):
    """By the entropy of the probabilities."""

    measure = "entropy"


class LeastConfidence(_OfClasses):
    """By the probability of the likeliest class, the smallest first."""

    measure = "least_confidence"

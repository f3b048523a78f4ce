"""Strategy rho_loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from shared.config import fields as f
from shared.config.schema.holdout import ON_VALIDATION, Holdout
from shared.strategies.by_scores import by_scores
from shared.strategies.common import Seeded, Sized, size_of
from shared.strategies.importance import Scored
from shared.strategies.strategy import CurrentModel, Pieces, Request, State
from shared.strategies.weighted_draws import largest


class RhoLoss(Scored):
    """What can be learned, and is not yet: the rows of the largest loss less the loss of a holdout model on them.

    A row that the holdout model, which learned from other rows, gets wrong too is noise or too hard, and left out; one
    that both get right is known. Mindermann et al. (ICML 2022), who choose so within each batch; here a set is chosen
    before each training. It is biased, weights are 1. Memory as `by_scores` has it.

    A holdout model that is trained on the validation rows is trained once, at the first trigger at which there is a
    model to compare it with and a validation row, and kept in the state. It stays what it was then: where what is
    right changes, it calls noise what is new.
    """

    class Schema(Sized, Seeded):
        """Its options."""

        seed = f.Whole(
            "seed of the draw, which there is only until there is a model; without it training.seed",
            least=0,
            load_default=None,
        )
        holdout = Holdout(
            "the model that the loss is compared with: the URI of a model.safetensors that a training has made, of the "
            "same loss and classes; or one that is trained on the rows of the validation split as the pipeline says, "
            "once",
            required=True,
        )

    @classmethod
    def objections(cls, options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """A holdout model of validation rows where there are none."""
        split = (pipeline.get("data") or {}).get("split")
        if options["holdout"] == ON_VALIDATION and split and not split["validation"]:
            sentence = f"{ON_VALIDATION} asks for a model of the validation rows, and there are none: give"
            yield "holdout", f"{sentence} data.split.validation a share, such as 0.1, or name a model that is there."

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """By the difference of both models' losses, the largest."""
        holdout = self._options["holdout"]
        if model is not None and holdout == ON_VALIDATION:
            holdout = (state or {}).get("holdout") or model.holdout()
            state = None if holdout is None else {"holdout": holdout}
        if model is None or holdout is None:
            return self._at_random(request), state
        ask = partial(model.scores, "rho_loss", holdout=holdout)
        rows = by_scores(
            lambda: self._rows(request),
            ask,
            lambda scores: largest(scores, size_of(self._options, len(scores))),
        )
        return rows, state

"""Strategies that select the rows which stand for all, as the current model sees them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from shared.config import fields as f
from shared.strategies.common import Seeded, SelectsFrom, Sized, seed_of, size_of, sized
from shared.strategies.strategy import CurrentModel, Pieces, Request, State, unweighted

SPACES = ("input", "embedding", "gradient")


class Options(Sized, Seeded):
    """What all coresets have, but for `space`, whose default is their own."""

    per_class = f.Truth(
        "choose class by class, as many rows of each, however few rows there are; else only beyond 15,000 rows",
        load_default=False,
    )


def space(default: str) -> f.Choice:
    """The option."""
    meaning = (
        "what rows are compared by: what the current model is given; what enters its last linear layer; or the "
        "gradient of the row's loss by that layer's weights"
    )
    return f.Choice(meaning, *SPACES, load_default=default)


class Coreset(SelectsFrom):
    """A `fraction` of the rows, or `limit` of them, by one function of workers/selection/coreset.

    Without a model, as at the first trigger: at random, each row as likely as any other.
    """

    reads_model = True
    name: ClassVar[str]  # of the function

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """Memory is for the keys of all rows to choose from, and for what the model makes of them."""
        if model is None:
            return unweighted(sized(lambda: self._rows(request), self._options, request)), state
        keys = np.concatenate([np.empty(0, np.int64), *self._rows(request)])
        if len(keys) == 0:
            return iter(()), state
        options = {**self._options, "seed": seed_of(self._options, request)}
        chosen, weights = model.coreset(self.name, keys, size_of(options, len(keys)), options)
        return iter([(chosen, np.ones(len(chosen), np.float32) if weights is None else weights)]), state


class KCenter(Coreset):
    """Rows such that none is far from all that were picked."""

    name = "k_center"

    class Schema(Options):
        """Its options."""

        space = space("embedding")


class FacilityLocation(Coreset):
    """Rows such that every row is like one that was picked."""

    name = "facility_location"

    class Schema(Options):
        """Its options."""

        space = space("embedding")


class Craig(Coreset):
    """Rows, each with the number of those whose gradients are nearest to its own as weight."""

    name, weighs = "craig", True

    class Schema(Options):
        """Its options."""

        space = space("gradient")


class GradMatch(Coreset):
    """Rows with weights, whose gradients together come near the mean gradient of all."""

    name, weighs = "grad_match", True

    class Schema(Options):
        """Its options."""

        space = space("gradient")
        regularisation = f.Number(
            "what keeps weights small, in squared units of `space`; without it a hundredth of the rows' mean square",
            least=0,
            load_default=None,
        )


class GraphCut(Coreset):
    """Rows that are like all, and unlike each other."""

    name = "graph_cut"

    class Schema(Options):
        """Its options."""

        space = space("embedding")
        trade_off = f.Number(
            "how much likeness among the picked counts against likeness to all", least=0, load_default=1.0
        )


class LogDeterminant(Coreset):
    """Rows that are as unlike each other as can be; fewer where all others are like those that were picked."""

    name = "log_determinant"

    class Schema(Options):
        """Its options."""

        space = space("embedding")

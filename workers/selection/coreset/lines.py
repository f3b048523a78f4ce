"""Coresets as lines of a training set: by name, of points, with the weights that a training takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shared.errors import ConfigurationError
from workers.going_on import GoOn, unheard
from workers.selection.coreset.craig import craig
from workers.selection.coreset.facility_location import best_cover
from workers.selection.coreset.grad_match import grad_match
from workers.selection.coreset.graph_cut import cut_off
from workers.selection.coreset.herding import herding
from workers.selection.coreset.inputs import usable_count, usable_number, usable_rows
from workers.selection.coreset.k_center import k_center
from workers.selection.coreset.likeness import Similarity, gaussian_kernel
from workers.selection.coreset.log_determinant import most_unlike
from workers.selection.coreset.per_class import Choice, Classes, parts, per_part

_RIDGE = 0.01  # of GradMatch, where nobody says one: a share of the mean square of a gradient

_SEEDS = 2**63

Lines = tuple[Tensor, Tensor | None]
Options = Mapping[str, Any]


def choice(name: str, options: Options, go_on: GoOn = unheard) -> Choice:
    """A coreset by its name: points (n, d), k → indices (≤ k,) and the lines' weights, None: each is 1.

    `options`: `trade_off` of graph_cut, `regularisation` of grad_match (in squared units of the points; None: a
    hundredth of their mean square). `go_on` is called often. Raises ConfigurationError for another name.
    """
    if name not in CHOICES:
        raise ConfigurationError(f"there is no coreset {name!r}; there are {', '.join(CHOICES)}.")
    return lambda points, k: CHOICES[name](points, k, options, go_on)


def lines(
    choose: Choice, points: Tensor, classes: Classes | None, k: int, options: Options
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32] | None]:
    """The lines that a training set gets of points (n, d): their places, ascending, and weights; None: each is 1.

    All points are chosen from together, but for those that `parts` of per_class.py cuts, by `classes` (n,), None where
    labels are numbers, and `seed` of `options` (else 0); where these have `per_class`, it always does. Where all points
    are equal, as the gradients of a model whose last layer gets only zeros, nothing tells rows apart, and k are drawn
    at random: one of them, which stands for all, would never teach the model otherwise. Raises ConfigurationError
    where there are no classes for `per_class`.
    """
    by_class = options.get("per_class", False)
    if classes is None and by_class:
        raise ConfigurationError("per_class has no meaning where labels are numbers; remove it.")
    seed = options.get("seed", 0)
    if bool((points == points[0]).all()):
        return _drawn(len(points), min(k, len(points)), seed), None
    cut = parts(len(points), classes, k, seed, by_class=by_class)
    picked, weights = per_part(points, cut, choose)
    places, order = picked.sort()
    return places.cpu().numpy(), None if weights is None else weights[order].float().cpu().numpy()


def _drawn(rows: int, k: int, seed: int) -> npt.NDArray[np.int64]:
    generator = np.random.Generator(np.random.PCG64(seed % _SEEDS))
    return np.sort(generator.choice(rows, k, replace=False))


def craig_lines(gradients: Tensor, k: int, go_on: GoOn = unheard) -> tuple[Tensor, Tensor]:
    """`craig` as a choice: weights are w·k/n, of the k rows that were kept."""
    picked, weights = craig(gradients, k, go_on=go_on)
    return picked, weights * (len(picked) / len(gradients))


def grad_match_lines(
    gradients: Tensor, k: int, regularisation: float | None, go_on: GoOn = unheard
) -> tuple[Tensor, Tensor]:
    """`grad_match` of the rows' mean as a choice: weights are w·(rows kept)."""
    exact = gradients.double()
    if regularisation is None:
        regularisation = _RIDGE * float(exact.square().sum(dim=1).mean())
    target = exact.mean(dim=0).to(gradients.dtype)
    picked, weights = grad_match(gradients, target, k, regularisation, go_on=go_on)
    return picked, weights * len(picked)


def _facility_location(points: Tensor, k: int, go_on: GoOn) -> Tensor:
    """On the similarity of CRAIG."""
    rows = usable_rows(points, "features")
    similarity = Similarity(rows, go_on)
    return best_cover(similarity.bounds(), similarity.least, similarity.lines, usable_count(k, len(rows)), go_on)


def _graph_cut(points: Tensor, k: int, trade_off: float, go_on: GoOn) -> Tensor:
    """On the similarity of CRAIG."""
    rows = usable_rows(points, "features")
    similarity, k = Similarity(rows, go_on), usable_count(k, len(rows))
    alike = similarity.sums()
    first = similarity.lines(torch.zeros(1, dtype=torch.int64, device=rows.device))[0, 0]
    itself = first.expand(len(rows))

    def both_ways(row: int) -> Tensor:
        return 2 * similarity.lines(torch.tensor([row], device=rows.device))[0]

    return cut_off(alike, itself, both_ways, k, usable_number(trade_off, "trade_off"), go_on)


def _log_determinant(points: Tensor, k: int, go_on: GoOn) -> Tensor:
    """On the gaussian kernel: a row that equals one that was picked adds nothing, so there may be fewer than k."""
    rows = usable_rows(points, "features")
    kernel, k = gaussian_kernel(rows), usable_count(k, len(rows))
    one = torch.ones(len(rows), dtype=torch.float64, device=rows.device)
    return most_unlike(one, lambda row: kernel(torch.tensor([row], device=rows.device))[0], k, go_on)


CHOICES: dict[str, Callable[[Tensor, int, Options, GoOn], Lines]] = {
    "k_center": lambda points, k, options, go_on: (k_center(points, k, go_on=go_on), None),
    "facility_location": lambda points, k, options, go_on: (_facility_location(points, k, go_on), None),
    "craig": lambda points, k, options, go_on: craig_lines(points, k, go_on),
    "grad_match": lambda points, k, options, go_on: grad_match_lines(points, k, options["regularisation"], go_on),
    "graph_cut": lambda points, k, options, go_on: (_graph_cut(points, k, options["trade_off"], go_on), None),
    "log_determinant": lambda points, k, options, go_on: (_log_determinant(points, k, go_on), None),
    "herding": lambda points, k, options, go_on: (herding(points, k, go_on=go_on), None),
}

"""k-center's shortcuts: more rows than candidates, and what bounds cannot tell apart."""

from __future__ import annotations

import pytest
import torch

from tests.unit.selection.coreset.samples import TYPES, rows
from workers.selection.coreset import k_center


def plainly(features, k):
    """Every row compared with every pick, by differences."""
    exact = features.double()
    nearest = torch.full((len(exact),), torch.inf, dtype=torch.float64)
    picked = [0]
    while len(picked) < k:
        away = (exact - exact[picked[-1]]).square().sum(dim=1).sqrt()
        nearest = torch.minimum(nearest, away)
        nearest[picked] = -1
        picked.append(int((nearest >= nearest.max() * (1 - 1e-12)).nonzero()[0]))
    return picked


def clusters(n):
    return rows(1, 20, 6)[torch.arange(n) % 20] * 10 + rows(2, n, 6) * 0.01


def categories(n):
    """One-hot: thousands of rows at the same few distances."""
    codes = torch.randint(8, (n, 3), generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.one_hot(codes, 8).flatten(1).double()


KINDS = {
    "normal": lambda n: rows(0, n, 16),
    "clusters": clusters,
    "few columns": lambda n: rows(3, n, 2).round(decimals=1),
    "categories": categories,
    "all equal": lambda n: torch.full((n, 4), 0.1, dtype=torch.float64),
    "far from 0": lambda n: rows(4, n, 8) + 1e6,
    "one far away": lambda n: torch.cat([rows(5, n - 1, 8), torch.full((1, 8), 1e12, dtype=torch.float64)]),
    "any size": lambda n: rows(6, n, 3) * 10.0 ** (rows(7, n, 1) * 8),
    "large": lambda n: rows(8, n, 3) * 1e30,
    "small": lambda n: rows(9, n, 3) * 1e-30,
}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_rows_as_by_comparing_all(kind, dtype):
    """To the last of 150 picks, one after the other."""
    features = KINDS[kind](1500).to(dtype)
    assert k_center(features, 150, 0).tolist() == plainly(features, 150)


def test_as_many_columns_as_a_picture_has():
    """Errors of float32 grow with them."""
    features = rows(0, 30, 20_000, torch.float32)
    assert k_center(features, 15, 0).tolist() == plainly(features, 15)

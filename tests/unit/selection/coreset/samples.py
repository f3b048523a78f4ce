"""Rows and matrices to choose from."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st

TYPES = [torch.float32, torch.float64]


def rows(seed, n, d=3, dtype=torch.float64, repeats=False):
    """Normal rows (n, d); with repeats some of them stand several times, anywhere."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, d))
    if repeats:
        values = values[random.integers(0, n, n)]
    return torch.from_numpy(values).to(dtype)


def likeness(features):
    """A similarity that is not symmetric, with negative numbers; of equal rows lines and columns are equal."""
    exact = features.double()
    scale = 1 + (exact * exact).sum(dim=1, keepdim=True)
    return ((exact[:, None] * exact[None]).sum(dim=2) / scale).to(features.dtype)


def kernel(features):
    """A kernel with full rank but for equal rows."""
    return torch.exp(-torch.cdist(features.double(), features.double(), compute_mode="donot_use_mm_for_euclid_dist"))


def numbers(tensor):
    """What the plain formulations take."""
    return tensor.double().numpy()


@st.composite
def cases(draw, least=2, most=24):
    """Rows, and how many to pick."""
    n = draw(st.integers(least, most))
    features = rows(
        draw(st.integers(0, 10**6)), n, draw(st.integers(1, 5)), draw(st.sampled_from(TYPES)), draw(st.booleans())
    )
    return features, draw(st.integers(1, n))

"""Whether what a coreset is chosen from can be used, said in sentences."""

from __future__ import annotations

import math
from numbers import Integral

import torch
from torch import Tensor

LARGEST = 1e150  # its square is a float64, and so is a sum of many such squares


def usable_rows(values: Tensor, what: str) -> Tensor:
    """Usable (n, d) values without their history, n and d at least 1, in rows that lie in one piece."""
    if values.dim() != 2 or 0 in values.shape:
        raise ValueError(f"{what} have shape {tuple(values.shape)}; a matrix of one row or more is needed")
    return usable(values, what).contiguous()


def usable_square(values: Tensor, what: str) -> Tensor:
    """Usable (n, n) values without their history."""
    if values.dim() != 2 or values.shape[0] != values.shape[1] or 0 in values.shape:
        raise ValueError(f"{what} has shape {tuple(values.shape)}; it is square, (n, n), with a line a row")
    return usable(values, what)


def usable(values: Tensor, what: str) -> Tensor:
    """Values without their history; they are float32 or float64, and none is NaN, infinite or too large to square."""
    if values.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"{what}: {values.dtype} is too coarse or no fraction; give float32 or float64, as by .float()"
        )
    lowest, highest = (float(one) for one in torch.aminmax(values.detach()))
    if not (lowest >= -LARGEST and highest <= LARGEST):  # also where they are NaN
        at = (~(values.detach().abs() <= LARGEST)).nonzero()[0].tolist()
        raise ValueError(
            f"{what}: {float(values[tuple(at)])} at {at} cannot be reckoned with; mend or leave out that row"
        )
    return values.detach()


def usable_count(k: int, rows: int) -> int:
    """How many are picked."""
    if not isinstance(k, Integral) or isinstance(k, bool) or not 1 <= k <= rows:
        raise ValueError(f"k is {k!r}; of {rows} rows 1 to {rows} can be picked")
    return int(k)


def usable_index(value: int, rows: int, what: str) -> int:
    """The index of a row."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not 0 <= value < rows:
        raise ValueError(f"{what} is {value!r}; the rows are 0 to {rows - 1}")
    return int(value)


def usable_number(value: float, what: str, least: float = -LARGEST) -> float:
    """A finite number."""
    if not (math.isfinite(value) and least <= value <= LARGEST):
        raise ValueError(f"{what} is {value!r}; a number {f'from {least:g} on' if least == 0 else ''} is needed")
    return float(value)

"""One model from the members of a training."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from shared.errors import TrainingError
from workers.models.model_file import pack_tensors, unpack_tensors

Tensors = dict[str, torch.Tensor]


def average(members: Sequence[bytes]) -> bytes:
    """The mean of the members' weights, each counting the same; a single member as it is, to the byte.

    Means are taken in float64; whole numbers, such as batch counts, come from the first member. McMahan et al.,
    "Communication-Efficient Learning of Deep Networks from Decentralized Data" (2017), with equal shares.
    Raises TrainingError if the members are not the same model.
    """
    if not members:
        raise TrainingError("There is no member to make a model of.")
    if len(members) == 1:
        return members[0]
    tensors, metadata = zip(*(unpack_tensors(member) for member in members), strict=True)
    for number, (other, other_metadata) in enumerate(zip(tensors[1:], metadata[1:], strict=True), start=1):
        if _shapes(other) != _shapes(tensors[0]) or other_metadata != metadata[0]:
            raise TrainingError(f"Member {number} is not the same model as member 0{_difference(tensors[0], other)}.")
    return pack_tensors({name: _mean([member[name] for member in tensors]) for name in tensors[0]}, metadata[0])


def _mean(tensors: list[torch.Tensor]) -> torch.Tensor:
    first = tensors[0]
    if not first.is_floating_point():
        return first
    total = torch.zeros_like(first, dtype=torch.float64)
    for tensor in tensors:
        total += tensor
    return (total / len(tensors)).to(first.dtype)


def _shapes(tensors: Tensors) -> dict[str, tuple[torch.dtype, tuple[int, ...]]]:
    return {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()}


def _difference(first: Tensors, other: Tensors) -> str:
    """Where they differ, as the end of a sentence."""
    ours, theirs = _shapes(first), _shapes(other)
    names = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    return f": {names[0]} differs in type or shape" if names else ": they were made of different features or settings"

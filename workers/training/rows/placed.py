"""The rows of a training set as batches on the device: gathered there where they fit, else brought one batch ahead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from workers.features.encoder import FeatureEncoder
from workers.features.matrix import model_input

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]  # inputs, labels (batch,), weights (batch,)
Bounds = Sequence[tuple[int, int]]  # [start, stop) in the order of an epoch

# Of a GPU's free memory rows take at most this share: the model and its activations need theirs.
SHARE_OF_FREE_MEMORY = 0.5


@dataclass(frozen=True, kw_only=True)
class HostRows:
    """A training set, encoded, where it was encoded."""

    features: torch.Tensor  # (rows, width)
    labels: torch.Tensor  # (rows,)
    weights: torch.Tensor | None  # (rows,), None where all are 1
    encoder: FeatureEncoder

    @property
    def size_bytes(self) -> int:
        """What they would take on a device."""
        return self.features.nbytes + self.labels.nbytes + (0 if self.weights is None else self.weights.nbytes)


class BatchedRows(Protocol):
    """Encoded rows, ready to be learned from."""

    def __len__(self) -> int: ...

    def batches(self, order: torch.Tensor, bounds: Bounds) -> Iterator[Batch]:
        """For each of `bounds` the rows at those places of `order`, int64 (rows,), on the device."""


class ResidentRows:
    """All rows lie on the device: on a CPU mapped from the scratch file, on a GPU in its memory."""

    def __init__(self, rows: HostRows, device: torch.device) -> None:
        self._features, self._labels = rows.features.to(device), rows.labels.to(device)
        self._weights = None if rows.weights is None else rows.weights.to(device)
        self._encoder, self._device = rows.encoder, device

    def __len__(self) -> int:
        return len(self._labels)

    def batches(self, order: torch.Tensor, bounds: Bounds) -> Iterator[Batch]:
        """As BatchedRows. The order goes to the device once."""
        order = order.to(self._device)
        for start, stop in bounds:
            picked = order[start:stop]
            weights = None if self._weights is None else self._weights.index_select(0, picked)
            features = model_input(self._features.index_select(0, picked), self._encoder)
            yield features, self._labels.index_select(0, picked), weights


class StreamedRows:
    """Features stay on the host: while a batch is learned from, the next is gathered and on its way.

    Labels and weights, a few bytes a row, lie on the device.
    """

    def __init__(self, rows: HostRows, device: torch.device) -> None:
        self._features, self._labels = rows.features, rows.labels.to(device)
        self._weights = None if rows.weights is None else rows.weights.to(device)
        self._encoder, self._device = rows.encoder, device

    def __len__(self) -> int:
        return len(self._labels)

    def batches(self, order: torch.Tensor, bounds: Bounds) -> Iterator[Batch]:
        """As BatchedRows."""
        lane = _Lane(self._features, max((stop - start for start, stop in bounds), default=0), self._device)
        there = order.to(self._device)
        ahead = lane.send(order[slice(*bounds[0])]) if bounds else None
        for number, (start, stop) in enumerate(bounds):
            assert ahead is not None
            now = ahead
            ahead = lane.send(order[slice(*bounds[number + 1])]) if number + 1 < len(bounds) else None
            picked = there[start:stop]
            weights = None if self._weights is None else self._weights.index_select(0, picked)
            yield model_input(lane.receive(now), self._encoder), self._labels.index_select(0, picked), weights


class _Lane:
    """Pinned memory for two batches, and a stream that carries them beside the one that computes."""

    def __init__(self, features: torch.Tensor, largest: int, device: torch.device) -> None:
        self._features, self._device = features, device
        self._cuda = device.type == "cuda"
        shape = (largest, features.shape[1])
        self._places = [torch.empty(shape, dtype=features.dtype, pin_memory=self._cuda) for _ in range(2)]
        self._stream = torch.cuda.Stream(device) if self._cuda else None
        self._left = [torch.cuda.Event() for _ in range(2)] if self._cuda else []
        self._turn = 0

    def send(self, picked: torch.Tensor) -> tuple[torch.Tensor, torch.cuda.Event | None]:
        """Gather rows and send them; what is sent, and what says that it has arrived."""
        self._turn = 1 - self._turn
        place = self._places[self._turn][: len(picked)]
        if self._stream is None:
            return torch.index_select(self._features, 0, picked, out=place), None
        left = self._left[self._turn]
        left.synchronize()  # the batch before last has left its place, as a rule long ago
        torch.index_select(self._features, 0, picked, out=place)
        with torch.cuda.stream(self._stream):
            sent = place.to(self._device, non_blocking=True)
            left.record(self._stream)
        return sent, left

    def receive(self, sent: tuple[torch.Tensor, torch.cuda.Event | None]) -> torch.Tensor:
        """The rows, for the stream that computes: it waits for them, and the host does not."""
        rows, arrived = sent
        if arrived is not None:
            computing = torch.cuda.current_stream(self._device)
            computing.wait_event(arrived)
            rows.record_stream(computing)  # so that their memory is not given away too soon
        return rows


def place_rows(rows: HostRows, device: torch.device) -> BatchedRows:
    """Rows where batches are made of them fastest."""
    fits = rows.size_bytes <= SHARE_OF_FREE_MEMORY * free_bytes(device)
    return (ResidentRows if fits else StreamedRows)(rows, device)


def free_bytes(device: torch.device) -> float:
    """Memory for rows: on a CPU they are mapped from disk, so there is always enough."""
    if device.type != "cuda":
        return float("inf")
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return float(torch.cuda.mem_get_info(device)[0] + cached)

"""Rows whose features stay on the host: while a batch is learned from, the next is gathered and on its way."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from workers.features.matrix import model_input
from workers.training.order.bounds import Bounds
from workers.training.order.rule import Epoch
from workers.training.rows.batch import Batch
from workers.training.rows.host import HostRows, Targets, index_of


class StreamedRows:
    """Labels and weights, a few bytes a row, lie on the device."""

    def __init__(self, rows: HostRows, device: torch.device) -> None:
        self._features, self._encoder, self._device = rows.features, rows.encoder, device
        self._targets = Targets(rows, device)

    def __len__(self) -> int:
        return len(self._targets.labels)

    def batches(self, epoch: Epoch, bounds: Bounds) -> Iterator[Batch]:
        """As BatchedRows."""
        order, there = index_of(epoch), self._targets.of_epoch(epoch)
        lane = _Lane(self._features, max((stop - start for start, stop in bounds), default=0), self._device)
        ahead = lane.send(order[slice(*bounds[0])]) if bounds else None
        for number, (start, stop) in enumerate(bounds):
            assert ahead is not None
            now = ahead
            ahead = lane.send(order[slice(*bounds[number + 1])]) if number + 1 < len(bounds) else None
            yield Batch(model_input(lane.receive(now), self._encoder), *there.at(start, stop))


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

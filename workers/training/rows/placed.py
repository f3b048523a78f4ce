"""Where the rows of a training set lie: on the device where they fit there, else brought to it one batch ahead."""

from __future__ import annotations

import torch

from workers.training.rows.batch import BatchedRows
from workers.training.rows.blocks import BlockRows, FileRows
from workers.training.rows.host import HostRows
from workers.training.rows.resident import ResidentRows
from workers.training.rows.streamed import StreamedRows

# Of a GPU's free memory rows take at most this share: the model and its activations need theirs.
SHARE_OF_FREE_MEMORY = 0.5


def place_rows(rows: HostRows | FileRows, device: torch.device) -> BatchedRows:
    """Rows where batches are made of them fastest; those of a large set stay on disk."""
    if isinstance(rows, FileRows):
        return BlockRows(rows, device)
    fits = rows.size_bytes <= SHARE_OF_FREE_MEMORY * free_bytes(device)
    return (ResidentRows if fits else StreamedRows)(rows, device)


def free_bytes(device: torch.device) -> float:
    """Memory for rows: on a CPU they are mapped from disk, so there is always enough."""
    if device.type != "cuda":
        return float("inf")
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return float(torch.cuda.mem_get_info(device)[0] + cached)

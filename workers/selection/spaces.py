"""Rows as points whose distances say how alike they are: what coresets are chosen from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa
import torch
from torch import Tensor

from shared.errors import ConfigurationError
from workers.features.columns import Keys
from workers.features.matrix import model_input
from workers.loaded_model import LoadedModel
from workers.selection.row_loss import RowLoss
from workers.selection.seen import embeddings_of, labels_of, last_layer_of

_MOST_CELLS = 2**29  # 2 GiB of float32
_CELLS_AT_ONCE = 2**22  # of gradients that are made together; float64, 32 MiB


def features(space: str, model: LoadedModel, pieces: Iterable[tuple[Keys, pa.Table]], rows: int, label: str) -> Tensor:
    """All rows of `pieces`, of which there are `rows`, as points: float32 (rows, d), on the model's device.

    `space`: `input`, what the model is given, scaled as for it (d: its width; pixels from 0 to 1); `embedding`, what
    enters its last linear layer (d: the layer's width); `gradient`, that of each row's loss by the weights of the last
    linear layer, ∂loss/∂outputs ⊗ last input (d: outputs · width, an output after the other; under CrossEntropyLoss
    (p − y) ⊗ h, as CRAIG and GradMatch choose by).

    `pieces`: keys, ascending, and the rows' columns, for `gradient` `label` among them. One pass; memory: the points,
    a piece, and what a forward pass of some thousand of its rows takes.

    Raises ConfigurationError for a space that this model does not have, and where the points are more than 2 GiB;
    DataError naming column and key, TrainingError for a model that gives NaN; ValueError for another number of rows.
    """
    if space not in SPACES:
        raise ConfigurationError(f"there is no space {space!r} of features; there are {', '.join(SPACES)}.")
    points: Tensor | None = None
    filled = 0
    for keys, table in pieces:
        for some in SPACES[space](_Piece(model, keys, table, label)):
            if points is None:
                _refuse_too_large(space, rows, some.shape[1])
                points = torch.empty(rows, some.shape[1], dtype=torch.float32, device=some.device)
            if filled + len(some) <= rows:
                points[filled : filled + len(some)] = some
            filled += len(some)
    if points is None or filled != rows:
        raise ValueError(f"{filled:,} rows came, and {rows:,} were said to; there is one at least")
    return points


class _Piece(NamedTuple):
    model: LoadedModel
    keys: Keys
    table: pa.Table
    label: str


def _input(piece: _Piece) -> Iterator[Tensor]:
    if piece.model.encoder.inputs.kind == "text":
        raise ConfigurationError("the distance of two texts says nothing letter by letter; write `embedding`.")
    encoded = piece.model.encode(piece.table, piece.keys)
    yield model_input(encoded, piece.model.encoder).reshape(len(encoded), -1)


def _embedding(piece: _Piece) -> Iterator[Tensor]:
    for seen in embeddings_of(piece.model, piece.model.encode(piece.table, piece.keys)):
        assert seen.last_input is not None
        yield seen.last_input


def _gradient(piece: _Piece) -> Iterator[Tensor]:
    encoded = piece.model.encode(piece.table, piece.keys)
    labels = labels_of(piece.model, piece.table, piece.label, piece.keys).to(encoded.device)
    loss = RowLoss(piece.model.header.loss, encoded.device)
    start = 0
    for seen in last_layer_of(piece.model, encoded):
        assert seen.last_input is not None
        by_outputs = loss.gradient(seen.outputs, labels[start : start + len(seen.outputs)])
        start += len(by_outputs)
        at_once = max(1, _CELLS_AT_ONCE // (by_outputs.shape[1] * seen.last_input.shape[1]))
        for some, entered in zip(by_outputs.split(at_once), seen.last_input.split(at_once), strict=True):
            yield (some[:, :, None] * entered[:, None]).reshape(len(some), -1)


SPACES: dict[str, Callable[[_Piece], Iterator[Tensor]]] = {
    "input": _input,
    "embedding": _embedding,
    "gradient": _gradient,
}


def _refuse_too_large(space: str, rows: int, width: int) -> None:
    if rows * width > _MOST_CELLS:
        raise ConfigurationError(
            f"{rows:,} rows of {width:,} numbers each, as `{space}` has, are more than can be chosen from at once; "
            f"choose from {_MOST_CELLS // width:,} rows at a time, or in a space with fewer numbers, such as "
            f"{'`embedding`' if space != 'embedding' else 'that of a narrower last layer'}."
        )

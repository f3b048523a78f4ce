"""Values of labels as numbers of 64 bits, and back: texts have numbers in the order in which they were found."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.errors import DataError

Floats = npt.NDArray[np.float64]

_EXACT = 2.0**53  # below it all whole numbers are exact
_KIND, _TEXTS = "kind.json", "texts.jsonl"


class LabelKind(msgspec.Struct, frozen=True, kw_only=True):
    """What the labels of a table are."""

    texts: bool
    fractions_from: int | None  # all before this position are whole numbers below 2**53; None: all are


class ValueWriter:
    """Turns labels into numbers, and writes down in a folder how they are read back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kind: LabelKind | None = None
        self._codes: dict[str, int] = {}

    def numbers(self, labels: pa.ChunkedArray, position: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """(values, which are there) of labels from `position` on, both (n,); NaN is a null.

        Raises DataError where texts and numbers mix, or labels are neither.
        """
        labels = _plain(labels)
        if labels.null_count == len(labels):
            return np.zeros(len(labels)), np.zeros(len(labels), np.bool_)
        texts = pa.types.is_string(labels.type) or pa.types.is_large_string(labels.type)
        if self._kind is not None and self._kind.texts != texts:
            was, are = ("texts", f"of type {labels.type}") if self._kind.texts else ("numbers", "texts")
            raise DataError(
                f"the labels before row {position} of the labels' table are {was}, those from it on are {are}. Write "
                "all of them in one type."
            )
        there = np.asarray(labels.is_valid())
        if texts:
            self._note(LabelKind(texts=True, fractions_from=None))
            return self._text_codes(labels), there
        values = _numbers(labels)
        there &= ~np.isnan(values)
        if there.any():
            self._note_fractions(values, there, position)
        return values, there

    def _note_fractions(self, values: Floats, there: npt.NDArray[np.bool_], position: int) -> None:
        fractions_from = None if self._kind is None else self._kind.fractions_from
        if fractions_from is None:
            apart = np.flatnonzero(there & ((np.floor(values) != values) | (np.abs(values) >= _EXACT)))
            fractions_from = position + int(apart[0]) if len(apart) else None
        self._note(LabelKind(texts=False, fractions_from=fractions_from))

    def _note(self, kind: LabelKind) -> None:
        if kind != self._kind:
            unfinished = self._folder / f"{_KIND}.new"
            unfinished.write_bytes(msgspec.json.encode(kind))
            os.replace(unfinished, self._folder / _KIND)
            self._kind = kind

    def _text_codes(self, labels: pa.ChunkedArray) -> Floats:
        encoded = pc.dictionary_encode(labels.combine_chunks())
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        texts = encoded.dictionary.to_pylist()
        new = [text for text in texts if text not in self._codes]
        if new:
            with (self._folder / _TEXTS).open("ab") as file:
                file.write(b"".join(msgspec.json.encode(text) + b"\n" for text in new))
            self._codes |= {text: code for code, text in enumerate(new, len(self._codes))}
        codes = np.array([self._codes[text] for text in texts], np.float64)
        places: npt.NDArray[np.int32] = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
        return codes[places]


def _plain(labels: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(labels.type):
        labels = labels.cast(labels.type.value_type)
    return labels.cast(pa.large_string()) if pa.types.is_string_view(labels.type) else labels


def _numbers(labels: pa.ChunkedArray) -> Floats:
    kind = labels.type
    if pa.types.is_boolean(kind):
        labels = labels.cast(pa.int8())
    elif pa.types.is_float16(kind):
        labels = labels.cast(pa.float32())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise DataError(f"labels of type {kind} cannot be learned: they are numbers, booleans or texts")
    floats = labels.cast(pa.float64(), safe=False).fill_null(np.nan)
    return np.array(floats.to_numpy(), np.float64)


def read_kind(folder: Path) -> LabelKind | None:
    """What the labels in this folder are; None before the first one."""
    try:
        return msgspec.json.decode((folder / _KIND).read_bytes(), type=LabelKind)
    except FileNotFoundError:
        return None


def read_texts(folder: Path) -> list[str]:
    """The texts 0, 1, 2…; none where labels are numbers."""
    try:
        body = (folder / _TEXTS).read_bytes()
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line, type=str) for line in body.split(b"\n")[:-1]]

"""128 bits of each text of a column, from Arrow's buffers, eight bytes at a time."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Words = npt.NDArray[np.uint64]

_AT_ONCE = 16_384  # what the processor's cache holds
_LONG_BYTES = 256  # from here on each text is hashed by itself
_MASKS = np.array([(1 << 8 * n) - 1 for n in range(8)] + [2**64 - 1], np.uint64)
_SEEDS = (np.uint64(0x243F6A8885A308D3), np.uint64(0x13198A2E03707344))
# The multipliers of splitmix64 (Steele, Lea and Flood) and of MurmurHash3's last step (Appleby): two unlike mixes.
_MULTIPLY = (
    (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)),
    (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)),
)
_SHIFTS = ((np.uint64(30), np.uint64(27), np.uint64(31)), (np.uint64(33), np.uint64(33), np.uint64(33)))
_STEP = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xA0761D6478BD642F))


def mixed(lane: int, state: Words, word: Words | np.uint64) -> Words:
    """The next state of lane 0 or 1 after a word, (n,): for one state each word gives another."""
    first, second = _MULTIPLY[lane]
    a, b, c = _SHIFTS[lane]
    with np.errstate(over="ignore"):
        z = (state ^ word) + _STEP[lane]
        z ^= z >> a
        z *= first
        z ^= z >> b
        z *= second
        z ^= z >> c
    return z


def started(lane: int, length: int) -> Words:
    """The first state of lane 0 or 1, (length,)."""
    return np.full(length, _SEEDS[lane])


def text_hashes(values: pa.Array) -> tuple[Words, Words]:
    """Two numbers of 64 bits for each text or binary, both (n,): equal bytes have equal ones, whatever their type.

    Of nulls they mean nothing.
    """
    parts = [_some(values.slice(start, _AT_ONCE)) for start in range(0, len(values), _AT_ONCE)] or [_some(values)]
    return (
        parts[0] if len(parts) == 1 else (np.concatenate([a for a, _ in parts]), np.concatenate([b for _, b in parts]))
    )


def _some(values: pa.Array) -> tuple[Words, Words]:
    offsets, data = _buffers(values)
    starts, lengths = offsets[:-1] - offsets[0], np.diff(offsets)
    size = lengths.astype(np.uint64)
    lanes = mixed(0, started(0, len(values)), size), mixed(1, started(1, len(values)), size)
    short = lengths <= _LONG_BYTES
    if not short.all():
        _hash_one_by_one(lanes, data, starts, lengths, np.flatnonzero(~short))
    _hash_together(lanes, data, starts, np.where(short, lengths, 0))
    return lanes


def _buffers(values: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Where each text begins, (n + 1,), and the bytes from the first to the last, with some more behind."""
    wide = pa.types.is_large_string(values.type) or pa.types.is_large_binary(values.type)
    kind = np.dtype(np.int64 if wide else np.int32)
    _, places, texts = values.buffers()
    if not len(values) or texts is None:
        return np.zeros(len(values) + 1, np.int64), np.zeros(16, np.uint8)
    found = np.frombuffer(places, kind, len(values) + 1, values.offset * kind.itemsize).astype(np.int64)
    size = int(found[-1] - found[0])
    data = np.zeros(-(-size // 8) * 8 + 16, np.uint8)
    data[:size] = np.frombuffer(texts, np.uint8, size, int(found[0]))
    return found, data


def _hash_together(
    lanes: tuple[Words, Words],
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
) -> None:
    words = data.view("<u8")
    left = lengths.copy()
    active = np.flatnonzero(left > 0)
    at, left = starts[active], left[active]
    while len(active):
        shift = ((at & 7) << 3).astype(np.uint64)
        index = at >> 3
        word = words[index] >> shift
        word |= np.where(shift == 0, np.uint64(0), words[index + 1] << ((np.uint64(64) - shift) & np.uint64(63)))
        word &= _MASKS[np.minimum(left, 8)]
        whole = len(active) == len(lengths)
        for lane in (0, 1):
            place = slice(None) if whole else active
            lanes[lane][place] = mixed(lane, lanes[lane][place], word)
        go_on = left > 8
        if not go_on.all():
            active, at, left = active[go_on], at[go_on], left[go_on]
        at, left = at + 8, left - 8


def _hash_one_by_one(
    lanes: tuple[Words, Words],
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    which: npt.NDArray[np.int64],
) -> None:
    for row in which.tolist():
        text = data[starts[row] : starts[row] + lengths[row]]
        digest = np.frombuffer(hashlib.blake2b(text.tobytes(), digest_size=16).digest(), "<u8")
        lanes[0][row], lanes[1][row] = digest

"""A reservoir for each class: as many rows of each as of any other, as far as there are so many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shared.strategies.draws import Draws, Keys, draws_of
from shared.strategies.fair_share import shares
from shared.strategies.memories.kept.usable import usable_keys, usable_limit

Classes = npt.NDArray[np.uint64]
_NO_DRAW = np.uint64(2**64 - 1)


class ClassBalanced:
    """Within a class rows are ranked by their draws; those with the `limit` smallest (rank, class) are kept.

    That fills all classes like water: each up to one level, or with all it has. A row more of a class only pushes
    others out, so nothing that is needed later was ever dropped. Of each class the rows kept are a uniform sample. A
    class is a number, such as `shared.split.seeds_of_column` gives for labels; the smaller number goes first.

    A state is an Arrow table, at most `limit` rows long: `class`, uint64, `draw`, uint64, `key`, int64, sorted by class
    and draw. A key seen twice, of one class, counts once.

    Chrysakis and Moens (ICML 2020) keep such a sample row by row, with a coin for each; here draws stand in for coins,
    so that memories can be merged. The greedy sampler of GDumb (Prabhu, Torr and Dokania, ECCV 2020) keeps other rows.
    It takes a row only if its class is new, or has fewer than limit / (classes so far) rows; a full memory then drops a
    random row of its largest class. So once a class has its share its first rows stay, and no later one enters; and
    where one class has few rows, later ones of others may not fill the room. Here a late row of a class is as likely as
    an early one, and a memory is full once `limit` rows came.
    """

    SCHEMA = pa.schema([("class", pa.uint64()), ("draw", pa.uint64()), ("key", pa.int64())])

    def __init__(self, limit: int, seed: int) -> None:
        """Raises ValueError if the limit is below 1."""
        self._limit, self._seed = usable_limit(limit), seed

    def empty(self) -> pa.Table:
        """The state before any row."""
        return self.SCHEMA.empty_table()

    def observe(self, state: pa.Table, keys: Keys, classes: Classes) -> pa.Table:
        """The state after these rows too, int64 (n,) and uint64 (n,), in any order. Raises ValueError.

        O(n log(n)), and O(limit) if one of them may be kept: give many rows at a time.
        """
        draws = draws_of(usable_keys(keys), self._seed)
        if classes.dtype != np.uint64 or classes.shape != keys.shape:
            raise ValueError(f"classes are {classes.dtype} of shape {classes.shape}; they are uint64 {keys.shape}")
        if state.num_rows == self._limit:
            enters = draws < _to_beat(state, classes)
            keys, classes, draws = keys[enters], classes[enters], draws[enters]
        return self._of(state, classes, draws, keys) if len(keys) else state

    def merge(self, one: pa.Table, other: pa.Table) -> pa.Table:
        """The state after the rows of both, which have the same limit and seed."""
        return self._of(one, *(other[name].to_numpy() for name in self.SCHEMA.names))

    def keys(self, state: pa.Table) -> Keys:
        """Those that are kept, ascending."""
        return np.sort(state["key"].to_numpy())

    def _of(self, state: pa.Table, classes: Classes, draws: Draws, keys: Keys) -> pa.Table:
        order = np.lexsort((draws, classes))
        new = dict(zip(self.SCHEMA.names, (classes[order], draws[order], keys[order]), strict=True))
        at = _places(state, new["class"], new["draw"])
        columns = {name: np.insert(state[name].to_numpy(), at, values) for name, values in new.items()}
        again = np.concatenate([[False], columns["key"][1:] == columns["key"][:-1]])
        if again.any():  # equal keys have equal draws
            columns = {name: values[~again] for name, values in columns.items()}
        starts, counts = _runs(columns["class"])
        ranks = np.arange(len(columns["class"])) - np.repeat(starts, counts)
        kept = ranks < np.repeat(shares(counts, self._limit), counts)
        return pa.table({name: values[kept] for name, values in columns.items()}, schema=self.SCHEMA)


def _runs(classes: Classes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each of sorted classes starts, and how many rows it has."""
    starts = np.flatnonzero(np.concatenate([[True], classes[1:] != classes[:-1]])[: len(classes)])
    return starts, np.diff(np.append(starts, len(classes)))


def _places(state: pa.Table, classes: Classes, draws: Draws) -> npt.NDArray[np.int64]:
    """Before which of the kept rows new ones belong, both sorted: to sort all anew would take most of the time.

    All are looked for at once, each within its class, by halves: a step halves the largest class, however many there
    are.
    """
    kept_classes, kept_draws = state["class"].to_numpy(), state["draw"].to_numpy()
    starts, counts = _runs(classes)
    first, stop = (
        np.repeat(np.searchsorted(kept_classes, classes[starts], side=side), counts) for side in ("left", "right")
    )
    for _ in range(int((stop - first).max(initial=0)).bit_length()):
        middle = (first + stop) // 2
        open_still = first < stop
        behind = open_still & (kept_draws[np.minimum(middle, len(kept_draws) - 1)] < draws)
        first, stop = np.where(behind, middle + 1, first), np.where(open_still & ~behind, middle, stop)
    return first


def _to_beat(state: pa.Table, classes: Classes) -> Draws:
    """Below which draws rows of these classes may enter a full memory."""
    kept, draws = state["class"].to_numpy(), state["draw"].to_numpy()
    starts, counts = _runs(kept)
    present = kept[starts]
    most = counts.max()  # the last of all has this rank, in the last such class: it goes first
    last = present[counts == most][-1]
    reached = np.where(present < last, counts >= most, counts >= most - 1)
    largest = np.where(reached, draws[starts + counts - 1], _NO_DRAW)
    at = np.searchsorted(present, classes)
    at_most = np.minimum(at, len(present) - 1)
    return np.where(present[at_most] == classes, largest[at_most], _NO_DRAW)

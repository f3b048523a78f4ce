"""Whether features still tell anything of the label: what shuffled labels lack, while their shares stay the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workers.detection.usual.expected import Expected, Finding, many, percent
from workers.detection.usual.values import Values

Codes = npt.NDArray[np.int64]

_BINS = 10  # of numbers, equally many rows in each as a rule
_TEXTS = 20  # the commonest; others are one
_FEWEST_ROWS = 100
_SURE = 8.0  # standard deviations of noise, by which a relation is known to be there
_NOISE = 4.0  # up to which it may be none
_SEEN = 16.0  # by which the usual one must stand out in the rows at hand, so that its loss can be told from noise


def relation_findings(
    now: pa.Table, usual: Sequence[pa.Table], label: str, features: Sequence[str], expected: Expected, *, classes: bool
) -> list[Finding]:
    """Where a feature told of the label in each stretch before, and none does any more.

    How much one tells is φ², of the table that counts its bins or texts against the label's: χ²/n, less what it would
    be were both independent, (r − 1)(k − 1)/(n − 1) (Bergsma, A bias-correction for Cramér's V and Tschuprow's T,
    2013). All stretches together would tell less: one day is windy, and late, and what is late on it is not windier.
    """
    features = [name for name in features if name != label]
    if not usual or not expected.compares("relation", label) or min(map(len, (now, *usual))) < _FEWEST_ROWS:
        return []
    before = pa.concat_tables([one.select([*features, label]) for one in usual], promote_options="permissive")
    now_labels, labels = _both(now.column(label), before.column(label), words=classes)
    borders = np.cumsum([len(one) for one in usual])[:-1]
    of_stretches = np.split(labels, borders)
    best, noise, told, left = 0.0, 1.0, "", 0.0
    for name in features:
        if name in expected.ignored or (codes := _codes(now.column(name), before.column(name))) is None:
            continue
        here, here_noise = _phi_squared(codes[0], now_labels)
        found = [_phi_squared(*both) for both in zip(np.split(codes[1], borders), of_stretches, strict=True)]
        usually, left = min(phi for phi, _ in found), max(left, here)
        if usually > max(best, *(_SURE * usual_noise for _, usual_noise in found)):
            best, noise, told = usually, here_noise, name
    must_be_left = expected.labels["relation"]
    if best < _SEEN * noise or left >= max(must_be_left * best, _NOISE * noise):
        return []
    sentence = (
        f"no feature tells of label `{label}` any more: φ² is {left:.3g} at most on {many(len(now))}, usually "
        f"{best:.3g} or more for `{told}`, and {percent(must_be_left)} of that must be left"
    )
    return [Finding(check="relation", column=label, sentence=sentence)]


def _codes(now: pa.ChunkedArray, before: pa.ChunkedArray) -> tuple[Codes, Codes] | None:
    kind = Values(before)
    return _both(now, before, words=True) if kind.is_of_words else _bins(now, before) if kind.is_of_numbers else None


def _both(now: pa.ChunkedArray, before: pa.ChunkedArray, *, words: bool) -> tuple[Codes, Codes]:
    """A number for each value in both, −1 for none: of texts and classes by how common, of numbers by tenths."""
    if not words:
        return _bins(now, before)
    counts = Values(before).counts
    commonest = sorted(counts, key=lambda text: (-counts[text], text))[:_TEXTS]
    numbers = {text: number for number, text in enumerate(commonest)}
    return _numbered(now, numbers), _numbered(before, numbers)


def _numbered(column: pa.ChunkedArray, numbers: dict[str, int]) -> Codes:
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    place = np.array([numbers.get(text, len(numbers)) for text in encoded.dictionary.to_pylist()] + [-1], np.int64)
    indices = encoded.indices.fill_null(len(place) - 1).to_numpy(zero_copy_only=False)
    return np.asarray(place[indices], np.int64)


def _bins(now: pa.ChunkedArray, before: pa.ChunkedArray) -> tuple[Codes, Codes]:
    numbers = [np.asarray(one.cast(pa.float64(), safe=False).to_numpy(), np.float64) for one in (now, before)]
    there = numbers[1][np.isfinite(numbers[1])]
    edges = np.unique(np.quantile(there, np.arange(1, _BINS) / _BINS)) if len(there) else there
    found = [np.where(np.isnan(one), -1, np.searchsorted(edges, one, side="left")) for one in numbers]
    return found[0], found[1]


def _phi_squared(codes: Codes, labels: Codes) -> tuple[float, float]:
    """How much more than nothing the one tells of the other, and the standard deviation of that where it is nothing."""
    both = (codes >= 0) & (labels >= 0)
    codes, labels, n = codes[both], labels[both], int(both.sum())
    if n < 2:
        return 0.0, 1.0
    width = int(labels.max()) + 1
    table = np.bincount(codes * width + labels, minlength=(int(codes.max()) + 1) * width).reshape(-1, width)
    table = table[table.any(axis=1)][:, table.any(axis=0)].astype(np.float64)
    r, k = table.shape
    independent = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    freedom = (r - 1) * (k - 1)
    phi = float(((table - independent) ** 2 / independent).sum()) / n - freedom / (n - 1)
    return max(phi, 0.0), float(np.sqrt(2 * max(freedom, 1))) / n

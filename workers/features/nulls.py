"""What an encoder meets that it has no number for, counted: nulls, and categories that it does not know."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.config.system import NullFeatures
from shared.dataset.nulls import count_nulls
from shared.messages.reports import FeatureNotes, UnknownCategories
from workers.features.columns import NULL_REMEDY, Keys, refuse_nulls

_MOST_COUNTED, _MOST_NAMED, _LONGEST_NAME = 1_000, 5, 80
_FAR = 3.0  # deviations, for the mean of a training set


class Description(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every encoder is stored with. Defaults are not, so that models stay the same bytes when a field is added."""

    nulls: NullFeatures = "impute"


class Met:
    """What was met in the rows of one training set."""

    def __init__(self) -> None:
        self._rows = 0
        self._nulls: Counter[str] = Counter()  # column → rows
        self._unknown: Counter[str] = Counter()  # column → rows
        self._categories: defaultdict[str, Counter[str]] = defaultdict(Counter)  # column → category → rows
        self._sums: defaultdict[str, float] = defaultdict(float)  # column → of its standardised numbers

    def note_rows(self, rows: int) -> None:
        """So many rows came."""
        self._rows += rows

    def note_nulls(self, name: str, values: pa.Array) -> None:
        """A column of theirs."""
        if count := count_nulls(values):
            self._nulls[name] += count

    def note_unknown(self, name: str, categories: pa.Array) -> None:
        """Texts that are none of the encoder's categories."""
        self._unknown[name] += len(categories)
        counts = self._categories[name]
        for one in pc.value_counts(categories).to_pylist():
            if one["values"] in counts or len(counts) < _MOST_COUNTED:
                counts[one["values"]] += one["counts"]

    def note_numbers(self, name: str, standardised: npt.NDArray[np.float32]) -> None:
        """A column's numbers as the model gets them; 0 where they are null."""
        self._sums[name] += float(standardised.sum(dtype=np.float64))

    def notes(self) -> FeatureNotes:
        """All of it."""
        means = {name: total / (self._rows - self._nulls[name] or 1) for name, total in self._sums.items()}
        return FeatureNotes(
            rows=self._rows,
            imputed={name: count for name, count in sorted(self._nulls.items()) if count},
            unknown={name: self._summed(name) for name, rows in sorted(self._unknown.items()) if rows},
            moved={name: round(mean, 3) for name, mean in means.items() if abs(mean) > _FAR},
        )

    def _summed(self, name: str) -> UnknownCategories:
        ordered = sorted(self._categories[name].items(), key=lambda one: (-one[1], one[0]))
        named = few([category for category, _ in ordered])
        commonest = dict(zip(named, (rows for _, rows in ordered), strict=False))
        return UnknownCategories(rows=self._unknown[name], commonest=commonest)


def few(categories: Sequence[str]) -> tuple[str, ...]:
    """The first of them, as a message carries them: cut where they are long."""
    return tuple(one[:_LONGEST_NAME] for one in categories[:_MOST_NAMED])


def meet_nulls(values: pa.Array, name: str, keys: Keys, description: Description, met: Met | None) -> None:
    """Count the nulls of a feature. Raises DataError, naming column and key, where they are refused."""
    if description.nulls == "refuse":
        refuse_nulls(values, name, keys, NULL_REMEDY)
    elif met is not None:
        met.note_nulls(name, values)

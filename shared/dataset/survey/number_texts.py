"""Numbers that stand in a column as texts: with a decimal comma and the like, or beside a few texts that are none."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from shared.dataset.survey.values import Values

_FIRST_ROWS = 4_096  # looked at first, as most columns show there that they are nothing of the kind
_FEW = 0.1  # share of these below which no more is looked at; of numbers that are more than whole ones
_MOSTLY = 0.5
_MOST_OTHERS = 20
_CODE_DIGITS = 4  # whole numbers of one such length, or longer, are codes

_BESIDE = r"[$€£¥%]|EUR|USD|CHF|GBP"
_BARE = rf"^(?:{_BESIDE})\s*|\s*(?:{_BESIDE})$"
_GAP = r"[ '’\x{a0}\x{202f}]"
_NUMBER = r"^[+\-−]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$"
_WHOLE, _CODE = r"^\+?\d+$", r"^0\d+$"
_BY_POINTS = rf"(?:(?:\.|{_GAP})\d{{3}})+"
_BY_COMMAS = rf"(?:(?:,|{_GAP})\d{{3}})+"
_OTHERWISE = {  # written; "either" is also one of the two before it
    "comma": rf"^[+\-−]?(?:\d+|\d{{1,3}}{_BY_POINTS}),\d+$",
    "thousands": rf"^[+\-−]?\d{{1,3}}(?:{_BY_COMMAS}(?:\.\d+)?|(?:\.\d{{3}}){{2,}}|{_BY_POINTS},\d+)$",
    "either": r"^[+\-−]?\d{1,3},\d{3}$",
}
_NOTHING = (
    r"(?i)^(?:[^\pL\pN]*|missing|unknown|unk|none|nan?|n/?a|null|nil|nd|n\.d\.|k\.a\.|tbd|undefined|empty|no data"
    r"|not available)$"
)


class Other(NamedTuple):
    """The first text that is no number."""

    text: str
    key: int


class NumberTexts:
    """How many of a column's texts are numbers, and how they are written. Looks at different values only."""

    def __init__(self) -> None:
        self.rows = self.numbers = 0
        self.example: str | None = None  # of a number that is written otherwise
        self.first_other: Other | None = None
        self._holds, self._others_are_nothing = True, True
        self._rows_of = Counter[str]()
        self._lengths: set[int] = set()  # of whole numbers

    def add(self, values: Values, row: int) -> None:
        """Take in the next rows, of texts; `row`: how many came before."""
        if not self._holds or len(values.known) == 0:
            return
        first = pc.unique(values.known.slice(0, _FIRST_ROWS))
        if np.mean(_Read(first).numbers) < _FEW and self.numbers <= _MOSTLY * self.rows:
            self._holds = False
            return
        counts = pc.value_counts(values.known)
        self._count(_Read(counts.field(0)), counts.field(1).to_numpy(), values, row)

    def _count(self, read: _Read, counts: npt.NDArray[np.int64], values: Values, row: int) -> None:
        self.rows += int(counts.sum())
        self.numbers += int(counts[read.numbers].sum())
        for name, mask in read.masks.items():
            self._rows_of[name] += int(counts[mask].sum())
        whole = read.texts.filter(pa.array(read.masks["whole"]))
        self._lengths |= set(pc.unique(pc.utf8_length(whole)).to_pylist()) if len(self._lengths) < 2 else set()
        if self.example is None and read.otherwise.any():
            self.example = read.texts[int(np.argmax(read.otherwise))].as_py()
        others = read.texts.filter(pa.array(~read.numbers))
        if len(others) == 0:
            return
        nothing = len(others) <= _MOST_OTHERS and pc.all(pc.match_substring_regex(others, _NOTHING)).as_py()
        self._others_are_nothing = self._others_are_nothing and bool(nothing)
        if self.first_other is None:
            place = pc.index(pc.fill_null(pc.is_in(values.rows, value_set=others), False), True).as_py()
            self.first_other = Other(values.rows[place].as_py(), row + place)

    @property
    def look_like_numbers(self) -> bool:
        """Whether most are numbers; whole ones alone may be codes, and are not unless the others say nothing."""
        if not self._holds or self.numbers <= _MOSTLY * self.rows:
            return False
        if self.numbers - self._rows_of["whole"] >= _FEW * self.numbers:
            return True
        one_length = len(self._lengths) == 1 and min(self._lengths) >= _CODE_DIGITS
        is_code = self._rows_of["code"] > 0 or one_length
        return self.first_other is not None and self._others_are_nothing and not is_code

    @property
    def writings(self) -> list[str]:
        """What numbers are written with that keeps them from being read as such."""
        rows = self._rows_of
        either = "comma" if rows["comma"] > rows["either"] else "thousands"  # some commas are clear, or none is
        named = {
            "a decimal comma": rows["comma"] - (rows["either"] if either == "thousands" else 0),
            "thousands separators": rows["thousands"] - (rows["either"] if either == "comma" else 0),
            "%": rows["percent"],
            "a currency": rows["currency"],
        }
        return [name for name, count in named.items() if count > 0]


class _Read:
    """Different texts, and which of them are written how."""

    def __init__(self, texts: pa.Array) -> None:
        self.texts = texts
        trimmed = pc.utf8_trim_whitespace(texts)
        self.numbers = _matches(trimmed, _NUMBER)
        self.masks = {"whole": _matches(trimmed, _WHOLE, self.numbers)}
        self.masks["code"] = _matches(trimmed, _CODE, self.masks["whole"])
        others = ~self.numbers
        bare = pc.replace_substring_regex(trimmed.filter(pa.array(others)), _BARE, "")
        found = {name: _matches(bare, pattern) for name, pattern in _OTHERWISE.items()}
        numbers = _matches(bare, _NUMBER) | found["comma"] | found["thousands"]
        beside = np.asarray(pc.not_equal(bare, trimmed.filter(pa.array(others))), np.bool_) & numbers
        percent = _matches(trimmed.filter(pa.array(others)), "%")
        found |= {"percent": beside & percent, "currency": beside & ~percent}
        self.masks |= {name: _placed(mask, others) for name, mask in found.items()}
        self.otherwise = _placed(numbers, others)
        self.numbers |= self.otherwise


def _placed(mask: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The mask of some of the texts as one of all."""
    placed = np.zeros(len(among), np.bool_)
    placed[among] = mask
    return placed


def _matches(texts: pa.Array, pattern: str, among: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.bool_]:
    """Which texts match, if only some of them are looked at."""
    if among is not None:
        return _placed(_matches(texts.filter(pa.array(among)), pattern), among)
    return np.asarray(pc.match_substring_regex(texts, pattern), np.bool_)

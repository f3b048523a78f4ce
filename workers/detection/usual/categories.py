"""Whether the texts of a column are those that it must have, or usually has."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import DataError
from workers.detection.usual.expected import Expected, Finding, many, percent
from workers.detection.usual.values import Values

_NAMED = 3  # categories in a sentence


def given_category_findings(name: str, now: Values, expected: Expected) -> list[Finding]:
    """None of the texts that a person has named. Raises DataError where there are no texts."""
    texts = expected.categories["columns"].get(name)
    if texts is None or not len(now.there):
        return []
    if not now.is_of_words:
        raise DataError(f"trigger.expect.categories.columns names {name}, which has no texts but {now.kind}s.")
    new = _new_share(now.counts, set(texts))
    if new <= expected.categories["new"]:
        return []
    told = _told_new(name, now, set(texts), new, expected, "not expected")
    return [Finding(check="categories", column=name, sentence=told)]


def usual_category_findings(name: str, now: Values, usual: Sequence[Values], expected: Expected) -> list[Finding]:
    """Texts that never came before. Where new ones come all the time, as names do, as many may be new as usual; and
    where all were one, it says nothing of what may follow: a year, a version.
    """
    known = set[str]().union(*(one.counts for one in usual))
    if len(known) < 2:
        return []
    new, as_a_rule = _new_share(now.counts, known), _new_as_a_rule(usual)
    if new <= as_a_rule + expected.categories["new"]:
        return []
    usually = "not usual" if as_a_rule == 0 else f"new; usually {percent(as_a_rule)} are"
    return [Finding(check="categories", column=name, sentence=_told_new(name, now, known, new, expected, usually))]


def _new_as_a_rule(usual: Sequence[Values]) -> float:
    """The largest share of texts that are new in a stretch, or in the second half of one."""
    known, shares = set[str](), [0.0]
    for one in usual:
        half = len(one.there) // 2
        first, second = Values(one.there.slice(0, half)), Values(one.there.slice(half))
        shares.append(_new_share(second.counts, {*known, *first.counts}))
        if known:
            shares.append(_new_share(one.counts, known))
        known |= set(one.counts)
    return max(shares)


def _told_new(name: str, now: Values, known: set[str], new: float, expected: Expected, what: str) -> str:
    commonest = sorted((text for text in now.counts if text not in known), key=lambda text: -now.counts[text])
    named = ", ".join(map(repr, commonest[:_NAMED])) + (", …" if len(commonest) > _NAMED else "")
    most = percent(expected.categories["new"])
    told = f"column `{name}` has texts in {percent(new)} of {many(len(now.there))} that are {what} ({named})"
    return f"{told}; at most {most} may be"


def _new_share(counts: dict[str, int], known: set[str]) -> float:
    new = sum(count for text, count in counts.items() if text not in known)
    return new / max(sum(counts.values()), 1)

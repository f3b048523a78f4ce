"""Whether labels are shared out as they must be and usually are, and whether features still tell anything of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from workers.detection.usual.columns import column_findings, constant_findings, given_findings, null_findings
from workers.detection.usual.expected import FEW, Expected, Finding, many, percent
from workers.detection.usual.relation import relation_findings
from workers.detection.usual.values import Values

_MOST_CLASSES = 100  # whole numbers with more values are no classes
_TELL_OF_ONE_VALUE = ("labels", "constant")  # checks


def label_findings(
    now: pa.Table,
    usual: Sequence[pa.Table],
    label: str,
    features: Sequence[str],
    expected: Expected,
    *,
    comes_later: bool,
) -> list[Finding]:
    """What is wrong with labels. `comes_later`: a row without one may get it yet."""
    labels, before = Values(now.column(label)), [Values(one.column(label)) for one in usual]
    classes = _are_classes([labels, *before])
    found = [] if comes_later else null_findings(label, labels, before, expected)
    found += _shares(labels, label, expected)
    if classes:
        found += given_findings(label, labels, expected)
        found += _usual_shares(labels, before, label, expected)
    else:
        there = [values.there for values in (labels, *before)]
        found += column_findings(label, there[0], there[1:], expected)
    if labels.distinct == 1 and any(one.check in _TELL_OF_ONE_VALUE for one in found):
        return found  # nothing tells of it, and that is said
    return found + relation_findings(now, usual, label, features, expected, classes=classes)


def _are_classes(stretches: Sequence[Values]) -> bool:
    """Texts and truths are, and whole numbers that are few."""
    if any(one.kind == "number" and len(one.there) for one in stretches):
        return False
    return all(one.is_of_words or len(one.there.unique()) <= _MOST_CLASSES for one in stretches)


def _shares(labels: Values, name: str, expected: Expected) -> list[Finding]:
    """Of classes that a person gave bounds for."""
    found, all_rows = [], len(labels.there)
    for one, (least, most) in expected.labels["shares"].items() if all_rows else ():
        share = labels.counts.get(one, 0) / all_rows
        if not least <= share <= most:
            told = (
                f"label `{name}` is {one} in {percent(share)} of {many(all_rows)}, {percent(least)} to {percent(most)}"
            )
            found.append(Finding(check="labels", column=name, sentence=f"{told} are expected"))
    return found


def _usual_shares(labels: Values, before: Sequence[Values], name: str, expected: Expected) -> list[Finding]:
    """Of all classes."""
    before = [one for one in before if len(one.there) >= FEW]
    if len(labels.there) < FEW or not before:
        return []
    moved = _moved(labels, before, name, expected) if expected.compares("labels", name) else []
    return moved or (constant_findings(name, labels, before) if expected.compares("constant", name) else [])


def _moved(labels: Values, before: Sequence[Values], name: str, expected: Expected) -> list[Finding]:
    """The class whose share is farthest from the usual, if that is too far."""
    names = sorted({one for values in (labels, *before) for one in values.counts})
    now = np.array([labels.counts.get(one, 0) for one in names]) / len(labels.there)
    shares = np.array([[values.counts.get(one, 0) / len(values.there) for one in names] for values in before])
    below, above, most = shares.min(axis=0) - now, now - shares.max(axis=0), expected.labels["moved"]
    worst = int(above.argmax() if above.max() > most else below.argmax())
    if max(above[worst], below[worst]) <= most:
        return []
    usually = (shares.max(axis=0) if above[worst] > most else shares.min(axis=0))[worst]
    told = f"label `{name}` is {names[worst]} in {percent(now[worst])} of {many(len(labels.there))}, usually in"
    told += f" {percent(usually)}; it may move by {percent(most)}"
    return [Finding(check="labels", column=name, sentence=told)]

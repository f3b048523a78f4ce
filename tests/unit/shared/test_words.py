"""A word is suggested only where one of the known ones is nearer than all others."""

from __future__ import annotations

import pytest

from shared.words import listed, meant


@pytest.mark.parametrize(
    ("word", "known", "suggested"),
    [
        ("lable", ["label", "x0", "timestamp"], "label"),
        ("x3", [f"x{number}" for number in range(33) if number != 3], None),
        ("x3", ["x32", "label"], "x32"),
        ("epochs", ["epochs", "epoch"], "epochs"),
        ("abc", ["xyz"], None),
        ("CRAIG", ["craig", "rs2"], "craig"),
        ("AB", ["Ab", "aB"], None),
        ("abc", [], None),
    ],
)
def test_the_nearest_word_if_there_is_one(word: str, known: list[str], suggested: str | None) -> None:
    """Of x31 and x32, which are as near to x3, neither is meant more than the other."""
    assert meant(word, known) == suggested


def test_words_are_listed_with_commas() -> None:
    """And one `and`, before the last."""
    assert [listed("abc"[:count]) for count in (1, 2, 3)] == ["a", "a and b", "a, b and c"]

"""The names of runs, as short as a legend needs them."""

from __future__ import annotations

import pytest

from supervisor.compare.picture.words import LONGEST_NAME, short_names


def test_names_that_fit_stay_as_they_are() -> None:
    """All of them, or none."""
    names = ["trigger.every=500,strategy.name=all_data", "b"]
    assert short_names(names) == names


def test_of_keys_the_last_word_stays_where_names_are_long() -> None:
    """Values are what tells runs of a sweep apart."""
    names = [f"trigger.every={n},strategy.name=all_data,training.optimizer.config.lr=0.1" for n in (500, 2000)]
    assert short_names(names) == [f"every={n},name=all_data,lr=0.1" for n in (500, 2000)]


def test_a_long_name_keeps_its_begin_and_its_end() -> None:
    """The middle is left out."""
    (short,) = short_names(["begin" + "x" * 100 + "end"])
    assert len(short) == LONGEST_NAME
    assert (short[:6], short[-4:], short.count("…")) == ("beginx", "xend", 1)


@pytest.mark.parametrize("at", [60, 150])
def test_short_names_still_tell_runs_apart(at: int) -> None:
    """A legend is wider rather than ambiguous."""
    names = ["x" * at + one + "x" * at for one in "ab"]
    short = short_names(names)
    assert len(set(short)) == 2
    assert all(one in name for one, name in zip("ab", short, strict=True))


def test_equal_last_words_do_not_merge_names() -> None:
    """Then the keys stay whole."""
    names = [f"{part}.every=500,strategy.name=all_data_that_was_ever_seen" for part in ("one", "two")]
    assert short_names(names) == names


def test_a_name_cannot_write_over_lines() -> None:
    """Nor reach a terminal's memory by way of an SVG."""
    assert short_names(["a\nb\x1b[31m"]) == ["a b\N{REPLACEMENT CHARACTER}[31m"]

"""Durations and moments are written by people and read back exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.timestamps import format_timestamp, now_us, parse_duration_s, parse_timestamp_us

YEAR_1000_US, YEAR_9999_US = -30_610_224_000_000_000, 253_370_764_800_000_000
moments = st.integers(YEAR_1000_US, YEAR_9999_US)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("2h", 7200), ("7d", 604_800), ("1w", 604_800), ("1.5h", 5400), ("0s", 0), (" 1 m", 60)],
)
def test_a_duration_is_a_number_and_a_unit(text, seconds):
    """Seconds, minutes, hours, days and weeks."""
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "7 days", "-7d", "1e3s", "7d12h", "7D", "seven d"])
def test_anything_else_is_refused_with_an_example(text):
    """The sentence repeats what was written and shows what could be."""
    with pytest.raises(ValueError, match=r"is not a duration; .* such as 30s or 7d") as refused:
        parse_duration_s(text)
    assert repr(text) in str(refused.value)


@given(moments)
def test_a_moment_reads_back_as_it_was_written(moment_us):
    """Not one microsecond is lost between number and text."""
    assert parse_timestamp_us(format_timestamp(moment_us)) == moment_us


@given(moments, moments)
def test_texts_sort_as_the_moments_do(one_us, other_us):
    """All texts have one width, so that files sorted by text are sorted by time."""
    assert (format_timestamp(one_us) < format_timestamp(other_us)) == (one_us < other_us)


def test_a_moment_is_written_in_utc_with_microseconds():
    """The form that design and evaluations.csv name."""
    assert format_timestamp(1_356_998_400_000_000) == "2013-01-01T00:00:00.000000Z"
    assert format_timestamp(-1) == "1969-12-31T23:59:59.999999Z"


@pytest.mark.parametrize(
    "text",
    [
        "2013-01-01",
        "2013-01-01T00:00",
        "2013-01-01T00:00:00Z",
        "2013-01-01 01:00:00+01:00",
        "2012-12-31T19:00:00-05:00",
    ],
)
def test_a_moment_may_name_its_zone(text):
    """Without a zone it is UTC."""
    assert parse_timestamp_us(text) == 1_356_998_400_000_000


@pytest.mark.parametrize("text", ["", "yesterday", "2013-13-01", "01.01.2013"])
def test_what_is_no_moment_is_refused(text):
    """Only ISO 8601 is read."""
    with pytest.raises(ValueError, match=r"[Ii]nvalid isoformat|month must be"):
        parse_timestamp_us(text)


def test_now_is_after_this_was_written_and_does_not_run_back():
    """The machine's clock, in microseconds since 1970."""
    first, second = now_us(), now_us()
    assert parse_timestamp_us("2025-01-01") < first <= second < parse_timestamp_us("2200-01-01")

"""Texts of times in a format are read as Python's strptime reads them, or refused; never otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.config.system import TimeFormat
from shared.dataset.time_texts import read_texts
from shared.dataset.timestamp_column import read_us
from shared.time_format import parts_of
from shared.timestamps import parse_timestamp_us

_EPOCH = datetime(1970, 1, 1)
_FORMATS = (
    "%d/%m/%Y %H:%M", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%y %H:%M:%S", "%b %d %Y", "%d %B %Y %I:%M %p", "%Y %j", "%Y-%m",
    "%a, %d %b %Y %H:%M:%S %z", "%Y-%m-%d %H:%M:%S.%f", "%I:%M%p %d/%m/%y", "%d/%b/%Y:%H:%M:%S %z", "%A %d %B %y",
    "%H:%M on %d-%m-%Y", "100%% %Y",
)  # fmt: skip
_ZONES = st.sampled_from([0, 60, -330, 345]).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_MOMENTS = st.datetimes(datetime(1969, 1, 1), datetime(2068, 12, 31), timezones=_ZONES)


def by_python(text: str, written: str) -> int | None:
    """Microseconds since 1970; None where strptime refuses the text."""
    try:
        moment = datetime.strptime(text, written)
    except ValueError:
        return None
    ahead = moment.utcoffset() or timedelta()
    return (moment.replace(tzinfo=None) - ahead - _EPOCH) // timedelta(microseconds=1)


def read(texts: list[str], written: str) -> list[int] | None:
    """What we read; None where one is refused."""
    try:
        return [int(us) for us in read_texts(pa.chunked_array([texts]), written)]
    except ValueError:
        return None


def without_zeros(text: str) -> str:
    """As people write it by hand."""
    for before in "/.: ":
        text = text.replace(f"{before}0", before)
    return text.removeprefix("0")


@given(st.sampled_from(_FORMATS), st.lists(_MOMENTS, min_size=1, max_size=5), st.booleans())
def test_texts_of_real_moments(written: str, moments: list[datetime], padded: bool) -> None:
    """Padded or not, in lower or upper case, with blanks around them."""
    texts = [moment.strftime(written) for moment in moments]
    texts = texts if padded else [without_zeros(text) for text in texts]
    expected = [by_python(text, written) for text in texts]
    assert read(texts, written) == (None if None in expected else expected)
    assert read([f" {text.upper()} " for text in texts], written) == read(texts, written)


def test_texts_that_come_again_and_again() -> None:
    """Are looked at once; one among them that is no time is refused."""
    texts = ["1/2/2024", "13/2/2024", "1/2/2024", "1/2/2024", "13/2/2024"]
    days = [parse_timestamp_us("2024-02-01"), parse_timestamp_us("2024-02-13")]
    assert read(texts, "%d/%m/%Y") == [days[0], days[1], days[0], days[0], days[1]]
    assert read([*texts, "31/2/2024"], "%d/%m/%Y") is None
    assert read([], "%d/%m/%Y") == []


@given(st.sampled_from(_FORMATS), _MOMENTS, st.integers(0, 40), st.sampled_from("0123456789 :/-x."))
@example("%d/%m/%Y %H:%M", datetime(2024, 3, 1, 10, 5, tzinfo=UTC), 1, "9")
def test_a_text_with_a_wrong_letter(written: str, moment: datetime, place: int, letter: str) -> None:
    """It is refused where Python refuses it, and else is what Python says: 31/02 is no day of March."""
    text = moment.strftime(written)
    text = text[: place % len(text)] + letter + text[place % len(text) + 1 :]
    expected = by_python(text.strip(), written)
    longer = "%f" in written and len(text.strip().rpartition(".")[2]) > 6  # which Python refuses and we cut
    assert read([text], written) == (None if expected is None else [expected]) or longer


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("31/02/2024", "%d/%m/%Y"), ("29/02/2023", "%d/%m/%Y"), ("31/04/2024", "%d/%m/%Y"), ("24-01-31", "%Y-%m-%d"),
        ("31/01/2024 x", "%d/%m/%Y"), ("31/01/24", "%d/%m/%Y"), ("31/13/2024", "%d/%m/%Y"), ("366 2023", "%j %Y"),
        ("31/01/2024 24:00", "%d/%m/%Y %H:%M"), ("31/01/2024 10:60", "%d/%m/%Y %H:%M"), ("2024111", "%Y%m%d"),
        ("31/01/2024 13:00 PM", "%d/%m/%Y %I:%M %p"), ("31 janvier 2024", "%d %b %Y"), ("0000-01-01", "%Y-%m-%d"),
        ("2024-01-31 CET", "%Y-%m-%d %Z"), ("", "%Y"), ("31/0x/2024", "%d/%m/%Y"), ("31/01/2024:", "%d/%m/%Y%%"),
    ],
)  # fmt: skip
def test_what_is_no_such_time(text: str, written: str) -> None:
    """Alone, and among texts that are."""
    good = datetime(2024, 1, 31).strftime(written.replace("%Z", "UTC"))
    assert read([text], written) is None
    assert read([good], written) is not None
    assert read([good, text, good], written) is None


@pytest.mark.parametrize(
    ("text", "written", "moment"),
    [
        ("31/1/68", "%d/%m/%y", "2068-01-31"), ("31/1/69", "%d/%m/%y", "1969-01-31"), ("2024", "%Y", "2024-01-01"),
        ("12:00 am 1.2.2024", "%I:%M %p %d.%m.%Y", "2024-02-01T00:00"), ("20240229", "%Y%m%d", "2024-02-29"),
        ("12:00 PM 1.2.2024", "%I:%M %p %d.%m.%Y", "2024-02-01T12:00"), ("Jan  5 2024", "%b %d %Y", "2024-01-05"),
        ("Wed, 31 Jan 2024 13:45:00 GMT", "%a, %d %b %Y %H:%M:%S %Z", "2024-01-31T13:45"),
        ("2024-01-31 13:45:00,5", "%Y-%m-%d %H:%M:%S,%f", "2024-01-31T13:45:00.500000"),
        ("2024-01-31 13:45:00.123456789", "%Y-%m-%d %H:%M:%S.%f", "2024-01-31T13:45:00.123456"),
        ("2024-01-31 13:45 -0330", "%Y-%m-%d %H:%M %z", "2024-01-31T17:15"), ("2024W-31-1", "%YW-%d-%m", "2024-01-31"),
        ("2024-01-31 13:45Z", "%Y-%m-%d %H:%M%z", "2024-01-31T13:45"), ("31 sept 2024", "%d %b %Y", None),
        ("30 September 2024", "%d %b %Y", "2024-09-30"), ("5/ 6/2024", "%m/%d/%Y", "2024-05-06"),
        ("2024-01-31 +01", "%Y-%m-%d %z", "2024-01-30T23:00"), ("31é01é2024", "%dé%mé%Y", "2024-01-31"),
    ],
)  # fmt: skip
def test_what_a_text_means(text: str, written: str, moment: str | None) -> None:
    """Halves of the day, years of two digits, names, fractions, offsets."""
    assert read([text], written) == (None if moment is None else [parse_timestamp_us(moment)])


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.int32()])
def test_digits_that_were_taken_for_numbers(kind: pa.DataType) -> None:
    """The zeros that a number loses are put back."""
    column = pa.chunked_array([pa.array([1022024, 31122023], kind)])
    expected = [parse_timestamp_us("2024-02-01"), parse_timestamp_us("2023-12-31")]
    assert read_us(column, TimeFormat(format="%d%m%Y")).tolist() == expected
    for number in (2020111, 202011, -20240131):  # which of 1 November and 11 January?
        with pytest.raises(ValueError, match="not in the format"):
            read_us(pa.chunked_array([pa.array([number], kind)]), TimeFormat(format="%Y%m%d"))


def test_iso_texts_may_be_finer_than_microseconds() -> None:
    """As pandas writes them, beside others and beside early years."""
    texts = ["2024-01-31 12:00:00.123456789", "2024-01-31T13:00:00.1234567+01:00", "0001-01-01", "2024-01-31"]
    expected = ["2024-01-31T12:00:00.123456", "2024-01-31T12:00:00.123456", "0001-01-01", "2024-01-31"]
    found = read_us(pa.chunked_array([texts[:2], texts[2:]]), TimeFormat())
    assert found.tolist() == [parse_timestamp_us(text) for text in expected]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("%d/%m/%Q %Y", "%Q is no directive here; known: %Y, "),
        ("%Y-%m-%d %T", "%T is no directive here; write %H:%M:%S"),
        ("%-d/%m/%Y", "%- is no directive here; write it without `-`"),
        ("%d/%m", "it says no year; add %Y"),
        ("", "it says no year"),
        ("%d %Y", "%d says nothing without %m or %b or %B"),
        ("%Y-%m-%d %I:%M", "%I says nothing without %p; write %H for hours up to 23"),
        ("%Y-%m-%d %M", "%M says nothing without %H or %I"),
        ("%Y-%m-%d %d", "%d stands in it twice; keep one"),
        ("%y %Y", "%Y and %y say the same; keep one"),
        ("%Y %", "ends in the middle of a directive; write %% for"),
    ],
)
def test_formats_that_say_no_moment(written: str, told: str) -> None:
    """Each is told with what to write."""
    with pytest.raises(ValueError, match=".") as error:
        parts_of(written)
    assert told in str(error.value)

"""Local times become moments by one rule, which is that of Python's zones for `fold=0`."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from workplace import PROJECT

from shared.clock_changes import NEVER, TWICE, ClockChanges
from shared.dataset.local_times import moments
from shared.timestamps import parse_timestamp_us as us
from shared.zones import zone

_EPOCH, _MICROSECOND = datetime(1970, 1, 1), timedelta(microseconds=1)
# Half an hour of summer time, a day that was left out, offsets with seconds, changes at midnight and at New Year.
_NAMES = (
    "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Monrovia", "Asia/Kathmandu",
    "America/Sao_Paulo", "Africa/Casablanca", "Europe/Dublin", "Asia/Manila", "Antarctica/Troll", "UTC", "Etc/GMT-2",
)  # fmt: skip
_CHANGES = ("2024-03-31", "2024-10-27", "2011-12-30", "1972-01-07", "1994-12-31", "2018-11-04", "1986-01-01")


def by_python(local: datetime, name: str) -> tuple[int, int]:
    """The moment, and what Python knows of it."""
    earlier, later = (local.replace(tzinfo=ZoneInfo(name), fold=fold).utcoffset() for fold in (0, 1))
    assert earlier is not None
    assert later is not None
    mark = 0 if earlier == later else TWICE if earlier > later else NEVER
    return (local - earlier - _EPOCH) // _MICROSECOND, mark


_ANY = st.datetimes(datetime(1850, 1, 1), datetime(2100, 1, 1))
_NEAR = st.builds(
    lambda day, hours: datetime.fromisoformat(day) + timedelta(hours=hours),
    st.sampled_from(_CHANGES),
    st.floats(-30, 30),
)


@given(st.sampled_from(_NAMES), st.lists(_ANY | _NEAR, min_size=1, max_size=20))
def test_as_python_has_it(name: str, local: list[datetime]) -> None:
    """In years far apart, too."""
    found = moments(np.array([(one - _EPOCH) // _MICROSECOND for one in local], np.int64), name)
    assert list(zip(found.us.tolist(), found.marks.tolist(), strict=True)) == [by_python(one, name) for one in local]


@pytest.mark.parametrize(
    ("local", "moment", "mark"),
    [
        ("2024-10-27T02:30", "2024-10-27T00:30", TWICE), ("2024-10-27T02:00", "2024-10-27T00:00", TWICE),
        ("2024-10-27T03:00", "2024-10-27T02:00", 0), ("2024-03-31T02:30", "2024-03-31T01:30", NEVER),
        ("2024-03-31T02:00", "2024-03-31T01:00", NEVER), ("2024-03-31T03:00", "2024-03-31T01:00", 0),
        ("2024-03-31T01:59:59.999999", "2024-03-31T00:59:59.999999", 0), ("9999-12-31", "9999-12-30T23:00", 0),
    ],
)  # fmt: skip
def test_the_rule(local: str, moment: str, mark: int) -> None:
    """Of two the earlier; 02:30 that never was is 03:30."""
    found = moments(np.array([us(local)]), "Europe/Zurich")
    assert (found.us.tolist(), found.marks.tolist()) == ([us(moment)], [mark])


def test_no_times_at_all() -> None:
    """As in a file without rows."""
    assert moments(np.empty(0, np.int64), "Europe/Zurich").us.tolist() == []


def test_counting() -> None:
    """Over batches; the first row and its file are kept."""
    marks = np.array([0, NEVER, TWICE, TWICE], np.int8)
    found = ClockChanges().with_rows(None, 0, str).with_rows(marks[:1], 0, str).with_rows(marks, 10, "file-{}".format)
    found = found.with_rows(marks, 20, "file-{}".format)
    assert found == ClockChanges(twice=4, never=2, key=11, file="file-11")
    assert found.told() == (
        "4 local times occur twice (taken for the earlier), 2 local times never occur (moved forward by the gap), as "
        "clocks are changed; the first is that of key 11 in file-11"
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("W. Europe Standard Time", "that is its name on Windows, write Europe/Berlin."),
        ("+02:00", "for +02:00 all year round write Etc/GMT-2, else the name of a place"),
        ("UTC-5", "write Etc/GMT+5"), ("+05:30", "write the name of a place that has it, such as Asia/Kolkata"),
        ("+00:00", "write UTC."), ("europe/zurich", "did you mean Europe/Zurich?"), ("Zurich", "mean Europe/Zurich?"),
        ("Europe/Zuric", "did you mean Europe/Zurich?"), ("Mars/Base", "write a name of the IANA database"),
        ("../etc/passwd", "write a name of"), ("Europe", "write a name of"), ("localtime", "write a name of"),
    ],
)  # fmt: skip
def test_names_that_are_none(name: str, told: str) -> None:
    """Each is told with what was meant."""
    with pytest.raises(ValueError, match="is no time zone; ") as error:
        zone(name)
    assert told in str(error.value)


def test_a_system_without_time_zones() -> None:
    """As a small image is: then they are those of the package tzdata."""
    pytest.importorskip("tzdata")
    code = (
        "import zoneinfo, numpy; from shared.dataset.local_times import moments; assert zoneinfo.TZPATH == ();"
        "print(moments(numpy.array([1711852200 * 10**6]), 'Europe/Zurich').marks.tolist())"
    )
    environment = {**os.environ, "PYTHONTZPATH": "", "PYTHONPATH": os.pathsep.join(map(str, [PROJECT, *sys.path]))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, f"[{NEVER}]"), done.stderr

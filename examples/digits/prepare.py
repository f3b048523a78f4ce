"""Owns the digits stream: scikit-learn's handwritten digits, repeated, and turned further as the year goes on.

Each row is one 8×8 picture. In January it stands upright, at the end of December it stands on its head. The drift is
ours and smooth, so what a retraining policy does about it is easy to see.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

DATA_FILE = Path(__file__).parent / "data" / "digits-2025.parquet"
ROWS = 6_000
FIRST_MOMENT = np.datetime64("2025-01-01T00:00:00", "s")
YEAR_S = 365 * 86_400
LAST_ANGLE_DEGREES = 180.0
BRIGHTEST_IN_SOURCE = 16  # scikit-learn's pixels run from 0 to 16
SEED = 0


def main() -> int:
    """Prepare the data, or say that it is there."""
    if DATA_FILE.exists():
        print(f"The data is already there: {DATA_FILE}. Delete it to start afresh.")
        return 0
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415 (a sentence, not a traceback, where it is missing)
    except ImportError:
        print(
            "error: scikit-learn is missing. Run `python -m pip install -r requirements-examples.txt`.", file=sys.stderr
        )
        return 1
    digits = load_digits()
    stream = build_stream(digits.images, digits.target)
    write(stream)
    print(f"Made {stream.num_rows:,} rows from {len(digits.images):,} pictures, each shown three or four times.")
    print(f"They turn from 0 to {LAST_ANGLE_DEGREES:.0f} degrees in the course of 2025.")
    print(f"Wrote {DATA_FILE}.")
    return 0


def build_stream(images: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> pa.Table:
    """The rows in time order, evenly spread over the year.

    `specimen` is the number of the picture that a row shows; it keeps all showings of a picture in one split.
    """
    specimens = shuffled_rounds(len(images), ROWS)
    year_share = np.arange(ROWS) / ROWS
    turned = turn(images[specimens], LAST_ANGLE_DEGREES * year_share)
    seconds = (YEAR_S * year_share).astype(np.int64)
    return pa.table(
        {
            "timestamp": pa.array((FIRST_MOMENT + seconds).astype("datetime64[us]"), pa.timestamp("us", tz="UTC")),
            "label": pa.array(labels[specimens].astype(np.int64)),
            "specimen": pa.array(specimens),
            "image": pa.array([picture.tobytes() for picture in turned], pa.binary()),
        }
    )


def shuffled_rounds(pictures: int, rows: int) -> npt.NDArray[np.int64]:
    """The numbers 0 … pictures − 1 in a new order round after round, until there are enough rows."""
    generator = np.random.default_rng(SEED)
    rounds = [generator.permutation(pictures) for _ in range(-(-rows // pictures))]
    return np.concatenate(rounds)[:rows].astype(np.int64)


def turn(images: npt.NDArray[np.float64], angles_degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Each picture turned by its angle about its middle, as bytes from 0 (paper) to 255 (ink)."""
    from scipy.ndimage import rotate  # noqa: PLC0415 (comes with scikit-learn)

    turned = np.stack(
        [rotate(image, angle, reshape=False, order=1) for image, angle in zip(images, angles_degrees, strict=True)]
    )
    return np.rint(turned.clip(0, BRIGHTEST_IN_SOURCE) * (255 / BRIGHTEST_IN_SOURCE)).astype(np.uint8)


def write(stream: pa.Table) -> None:
    """Write under a name that the supervisor does not see, then rename."""
    DATA_FILE.parent.mkdir(exist_ok=True)
    unfinished = DATA_FILE.with_name(f"_{DATA_FILE.name}")
    pq.write_table(stream, unfinished)
    os.replace(unfinished, DATA_FILE)


if __name__ == "__main__":
    sys.exit(main())

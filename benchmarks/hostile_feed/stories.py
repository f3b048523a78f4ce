"""What happens to files: each story is one file's, told step by step; the seconds it yields pass between its steps."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Sequence

import pyarrow as pa

from benchmarks.hostile_feed.feeder import Feeder, Wait
from benchmarks.hostile_feed.rows import COLUMNS, FEATURES, FORMATS, Row, csv, csv_lines, json_lines, parquet

Story = Callable[[Feeder], Wait]
_SOON_S = (0.05, 1.0)
_NOTED = ("timestamp", "id", "note", "x0", "label", "x1")
_AT_REST_S = 5.0  # for so long the product lets a last line rest before it takes it for whole
_REST_S = 6.0  # longer


def good(feed: Feeder) -> Wait:
    """A whole file of any format."""
    suffix, rows = feed.random.choice(list(FORMATS)), feed.rows()
    feed.put(feed.name("good", suffix), FORMATS[suffix](rows), rows)
    yield 0.0


def with_nulls(feed: Feeder) -> Wait:
    """Nulls in every feature."""
    rows = [row.without(FEATURES[number % 3]) for number, row in enumerate(feed.rows(6))]
    suffix = feed.random.choice(list(FORMATS))
    feed.put(feed.name("nulls", suffix), FORMATS[suffix](rows), rows)
    yield 0.0


def with_a_new_column(feed: Feeder) -> Wait:
    """One more, and all in another order."""
    rows = feed.rows()
    feed.put(feed.name("more", ".parquet"), parquet(rows, ("bonus", *reversed(COLUMNS))), rows)
    yield 0.0


def with_whole_numbers(feed: Feeder) -> Wait:
    """Where others have fractions, and smaller types where others have large ones."""
    rows = [row._replace(x1=float(row.id or 0)) for row in feed.rows()]
    whole = [row._replace(x1=row.id) for row in rows]
    body = parquet(whole, x1=pa.int64(), id=pa.int32(), label=pa.int8())
    feed.put(feed.name("whole", ".parquet"), body, rows)
    yield 0.0


def half_written(feed: Feeder) -> Wait:
    """A Parquet file that is half there, and becomes whole at once, or after it was told."""
    rows, name = feed.rows(), feed.name("half", ".parquet")
    body, told = parquet(rows), feed.random.random() < 0.7
    half = feed.random.randrange(1, len(body))
    feed.is_bad(name, "half-written", least=int(told))
    feed.append(name, body[:half])
    yield feed.random.uniform(*_SOON_S)
    if told:
        yield from feed.until_told(name)
    feed.append(name, body[half:], rows)
    yield from feed.until_shown(name, False)


def cut_in_a_line(feed: Feeder) -> Wait:
    """A CSV whose last line lacks cells, for long or not; it is no row until it is whole."""
    rows, name = feed.rows(), feed.name("cut", ".csv")
    body = csv(rows)
    cut = body.rindex(b",", 0, len(body) - 12) + 1
    feed.append(name, body[:cut], rows[:-1])
    yield from feed.until_keyed(name)
    yield feed.random.choice([0.5, _REST_S])
    feed.append(name, body[cut:], rows[-1:])
    yield 0.0


def cut_in_its_last_cell(feed: Feeder) -> Wait:
    """A CSV whose last line looks whole and is not: 7.1 is going to be 7.125."""
    rows, name = feed.rows(), feed.name("cell", ".csv")
    body, line = csv(rows[:-1]), csv_lines(rows[-1:])
    feed.append(name, body, rows[:-1])
    yield from feed.until_keyed(name)
    feed.append(name, line[:-3])
    begun_s = time.monotonic()
    yield feed.random.uniform(0.5, 2.5)
    if time.monotonic() - begun_s < _AT_REST_S:
        feed.append(name, line[-3:], rows[-1:])
    else:  # this machine is so slow that the line may have counted
        feed.append(name, b"\n", [rows[-1]._replace(x1=float(str(rows[-1].x1)[:-2]))])
    yield 0.0


def without_a_last_line_end(feed: Feeder) -> Wait:
    """A CSV whose last line has no end, and never gets one: it counts."""
    rows = feed.rows()
    feed.put(feed.name("end", ".csv"), csv(rows)[:-1], rows)
    yield 0.0


def cut_in_a_quoted_cell(feed: Feeder) -> Wait:
    """A CSV that is cut behind the line end within a quoted cell."""
    rows, name = feed.rows(), feed.name("quoted", ".csv")
    body = csv(rows, _NOTED)
    cut = body.rindex(b"\nin two") + feed.random.randint(1, 5)
    feed.append(name, body[:cut], rows[:-1])
    yield from feed.until_keyed(name)
    yield feed.random.choice([0.5, _REST_S])
    feed.append(name, body[cut:], rows[-1:])
    yield 0.0


def growing(suffix: str, lines: Callable[[Sequence[Row]], bytes]) -> Story:
    """A text that is written on and on, in pieces that end anywhere."""

    def story(feed: Feeder) -> Wait:
        name, rows = feed.name("grows", suffix), feed.rows(24, 30)
        body = lines(rows)
        stops = [number + 1 for number, byte in enumerate(body) if byte == 10]
        header, done = len(stops) - len(rows), 0
        for stop in [*sorted(feed.random.sample(range(1, len(body)), 7)), len(body)]:
            whole = [sum(end <= at for end in stops) - header for at in (done, stop)]
            feed.append(name, body[done:stop], rows[max(whole[0], 0) : max(whole[1], 0)])
            done = stop
            yield feed.random.uniform(0.6, 1.0)

    return story


def empty(feed: Feeder) -> Wait:
    """A CSV without a byte, then with its first line only, then with rows; each after a while."""
    rows, name = feed.rows(), feed.name("empty", ".csv")
    feed.is_bad(name, "without a byte", least=0)
    feed.append(name, b"")
    yield feed.random.uniform(*_SOON_S)
    feed.append(name, csv([]))
    yield feed.random.uniform(*_SOON_S)
    feed.append(name, csv_lines(rows), rows)
    yield from feed.until_shown(name, False)


def linked(feed: Feeder) -> Wait:
    """A link that leads nowhere, until it does."""
    rows, name = feed.rows(), feed.name("link", ".csv")
    blob = feed.scene.folder / f"blob-{name}"
    feed.is_bad(name, "a link that leads nowhere")
    (feed.scene.data / name).symlink_to(blob)
    yield from feed.until_told(name)
    feed.whole[name] = rows
    blob.with_suffix(".new").write_bytes(csv(rows))
    blob.with_suffix(".new").rename(blob)
    yield from feed.until_shown(name, False)


def no_data(feed: Feeder) -> Wait:
    """What nobody takes for data is told, too."""
    name = feed.name("notes", ".txt")
    feed.is_bad(name, "no data")
    feed.put(name, b"about these files")
    yield 0.0


def bad(what: str, suffix: str, spoil: Callable[[list[Row]], bytes]) -> Story:
    """A file that is bad until somebody has seen that; then it is mended, or taken away."""

    def story(feed: Feeder) -> Wait:
        rows, name = feed.rows(), feed.name("bad", suffix)
        feed.is_bad(name, what)
        feed.put(name, spoil(rows))
        yield from feed.until_told(name)
        yield feed.random.uniform(*_SOON_S)
        if feed.random.random() < 0.5:
            (feed.scene.data / name).unlink()
        else:
            feed.put(name, FORMATS[suffix](rows) if suffix in FORMATS else gzip.compress(csv(rows)), rows)
        yield from feed.until_shown(name, False)

    return story


def _second_without(column: str, rows: list[Row]) -> list[Row]:
    return [rows[0], rows[1].without(column), *rows[2:]]


STORIES: dict[str, Story] = {
    "good": good,
    "nulls": with_nulls,
    "new column": with_a_new_column,
    "whole numbers": with_whole_numbers,
    "half-written": half_written,
    "half-written again": half_written,
    "cut in a line": cut_in_a_line,
    "cut in its last cell": cut_in_its_last_cell,
    "cut in its last cell again": cut_in_its_last_cell,
    "no last line end": without_a_last_line_end,
    "cut in a quoted cell": cut_in_a_quoted_cell,
    "growing CSV": growing(".csv", csv),
    "growing JSON lines": growing(".jsonl", json_lines),
    "empty": empty,
    "link": linked,
    "no data": no_data,
    "zeros": bad("zeros", ".parquet", lambda _: bytes(3000)),
    "zeros in a text": bad("zeros", ".csv", lambda _: bytes(3000)),
    "no byte": bad("no byte", ".parquet", lambda _: b""),
    "null label": bad("a null label", ".parquet", lambda rows: parquet(_second_without("label", rows))),
    "null label in a text": bad("a null label", ".csv", lambda rows: csv(_second_without("label", rows))),
    "null timestamp": bad("a null timestamp", ".parquet", lambda rows: parquet(_second_without("timestamp", rows))),
    "null timestamp in a text": bad(
        "a null timestamp", ".jsonl", lambda rows: json_lines(_second_without("timestamp", rows))
    ),
    "text for numbers": bad("text for numbers", ".csv", lambda rows: csv([row._replace(x0="many") for row in rows])),
    "missing column": bad("a column missing", ".parquet", lambda rows: parquet(rows, COLUMNS[:-1])),
    "packed and cut": bad("packed, and cut", ".csv.gz", lambda rows: gzip.compress(csv(rows))[:-9]),
}

"""What a fed run came to, beside what the feeder wrote whole."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from benchmarks.hostile_feed.feeder import Feeder
from benchmarks.hostile_feed.rows import COLUMNS, Row, identity
from benchmarks.hostile_feed.scene import EVERY, Scene
from shared.config.load import load_system
from shared.dataset.manifest import read_manifest
from shared.dataset.table import TableDataset, open_dataset
from shared.timestamps import MICROSECONDS_PER_S, parse_timestamp_us


class Finding(NamedTuple):
    """One promise, and what is wrong with it; nothing, if it was kept."""

    promise: str
    wrong: list[str]


def verdict(feed: Feeder, ended: list[str], triggers: int) -> list[Finding]:
    """Every promise. `ended`: what was wrong with how sessions went and ended."""
    scene, lasts = feed.scene, "the run never ends by itself, and stops with exit 0"
    if not (scene.run_dir / "summary.json").exists():
        return [Finding(lasts, [*ended, "no run has begun"])]
    dataset = _dataset(scene)
    keyed = _keyed(dataset)
    return [
        Finding(lasts, ended),
        Finding(f"{triggers} triggers, each with its model", list(_triggers(scene, triggers, dataset.rows))),
        Finding("each row that was written whole has exactly one key, and no other row has one", _rows(feed, keyed)),
        Finding("the keys of a file's rows ascend as they stand in it, as they were written", _files(feed, keyed)),
        Finding("each key is in exactly one training set, up to the last trigger", list(_sets(scene, dataset.rows))),
        Finding("each thing is told once, in the log and by an alert", list(_told(feed))),
        Finding("`runs` and `fleet` show what is not read, and only while it is so", feed.wrong),
    ]


def all_read(feed: Feeder) -> bool:
    """Whether as many rows have keys as were written whole."""
    return feed.scene.keyed().total() >= sum(map(len, feed.whole.values()))


def _dataset(scene: Scene) -> TableDataset:
    system = load_system(scene.config)
    return open_dataset(system.datasets["rows"], read_manifest(scene.manifest))


def _keyed(dataset: TableDataset) -> dict[str, list[Row]]:
    """File → its rows in the order of their keys, as the product reads them."""
    found: dict[str, list[Row]] = {}
    for entry in dataset.entries:
        rows = found.setdefault(Path(entry.file).name, [])
        for _, piece in dataset.batches(COLUMNS, entry.first_key, entry.stop_key):
            rows += [_as_written(one) for one in piece.to_pylist()]
    return found


def _as_written(read: dict[str, Any]) -> Row:
    moment = read["timestamp"]
    if isinstance(moment, str):
        moment = parse_timestamp_us(moment)
    elif moment is not None:
        moment = round(moment.timestamp() * MICROSECONDS_PER_S)
    return Row(**{**read, "timestamp": moment})


def _triggers(scene: Scene, triggers: int, rows: int) -> Iterator[str]:
    fired = json.loads((scene.run_dir / "summary.json").read_text())["trigger_list"]
    if len(fired) < triggers:
        yield f"{len(fired)} triggers"
    if [one["key"] for one in fired] != list(range(EVERY - 1, rows, EVERY)):
        yield f"they fired at {[one['key'] for one in fired]}, of {rows} rows"
    if scene.models() != len(fired):
        yield f"{scene.models()} models of {len(fired)}"


def _rows(feed: Feeder, keyed: dict[str, list[Row]]) -> list[str]:
    expected = Counter(identity(row._asdict()) for rows in feed.whole.values() for row in rows)
    found = Counter(identity(row._asdict()) for rows in keyed.values() for row in rows)
    files = {identity(row._asdict()): name for name, rows in feed.whole.items() for row in rows}
    wrong = [f"row {one} of {files[one]} has no key" for one in expected - found]
    wrong += [f"row {one} of {files.get(one, 'a bad file')} has {found[one]} keys" for one in found - expected]
    return wrong


def _files(feed: Feeder, keyed: dict[str, list[Row]]) -> list[str]:
    wrong = [f"{name} has keys" for name in keyed.keys() - feed.whole.keys() if keyed[name]]
    for name, rows in feed.whole.items():
        pairs = zip(rows, keyed.get(name, []), strict=False)
        wrong += [f"{name}: {row} was read as {read}" for row, read in pairs if row != read][:1]
    return wrong


def _sets(scene: Scene, rows: int) -> Iterator[str]:
    keys: Counter[int] = Counter()
    for file in scene.run_dir.glob("training_sets/*.parquet"):
        keys.update(pq.read_table(file)["key"].to_pylist())
    expected = Counter(range(rows // EVERY * EVERY))
    if keys != expected:
        missing, more = sorted(expected - keys), sorted(keys - expected)
        yield f"missing {missing[:10]} ({len(missing)}), too often {more[:10]} ({len(more)})"


def _told(feed: Feeder) -> Iterator[str]:
    for name in feed.whole.keys() | feed.bad.keys():
        what, least, most = feed.bad.get(name, ("good", 0, 0))
        warnings, alerts = feed.scene.warnings(name), feed.scene.alerts(name)
        reasons = {sentence for _, sentence in warnings}
        yield from (f"{name} ({what}): said {times} times: {one}" for (_, one), times in warnings.items() if times > 1)
        if not least <= len(reasons) <= most:
            yield f"{name} ({what}): {len(reasons)} reasons were told, not {least} to {most}: {sorted(reasons)}"
        if what != "no data" and (len(alerts), alerts.total()) != (len(reasons), len(reasons)):
            yield f"{name} ({what}): {len(reasons)} reasons in the log, but these alerts: {dict(alerts)}"

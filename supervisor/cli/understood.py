"""What was understood of a dataset, for people: lines on its rows, and a table of its features."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.config.secrets import hide
from shared.dataset.survey.column import MOST_TEXTS
from shared.dataset.survey.labels import LabelTable
from shared.dataset.survey.time_read import Time
from shared.dataset.survey.understood import Feature, Label, Understood, Value
from shared.printable import printable
from shared.words import ending
from supervisor.run.start.understanding import LabelDelay, Understanding

_MOST_CLASSES = 20
_FEW = 20  # values of fractions that are worth a number
_FOLLOWED = {
    "ignore": "these rows: not followed (initial_mode: ignore); a run starts with those that come",
    "replay": "trigger policy: {policy}; when it fires only a run can say, as it asks workers or hears of trainings",
    "train_on_everything": "these rows: 1 trigger on all of them (initial_mode: train_on_everything); "
    "the policy sees later ones",
}


def show(console: Console, told: Understanding) -> None:
    """Print what it holds; what looks wrong is for the caller to tell."""
    for line in _lines(told):
        console.print(hide(line), markup=False, highlight=False, soft_wrap=True)
    if told.dataset.features:
        console.print(_table(told.dataset.features))


def _lines(told: Understanding) -> Iterator[str]:
    found = told.dataset
    yield f"dataset {found.name}: {found.rows:,} rows in {_files(found)}, {_size(found.size_bytes)}"
    if found.first_timestamp is not None:
        yield f"event time: {found.first_timestamp} to {found.last_timestamp}"
    yield f"times: {time_line(found.time)}"
    if found.late_rows:
        by = _duration(found.late_by_s)
        yield f"late rows: {found.late_rows:,} ({_share(found.late_rows / found.rows)}), by {by} at most"
    else:
        yield "late rows: none"
    yield f"label: {label_line(found.label, found.labels)}"
    yield from label_lines(found, told.label_delay)
    if told.triggers is None:
        yield _FOLLOWED[told.initial_mode].format(policy=told.policy)
    else:
        triggers = "1 trigger" if told.triggers == 1 else f"{told.triggers:,} triggers"
        yield f"trigger policy: {told.policy}, {triggers} on these rows"


def time_line(time: Time) -> str:
    """How they were read, and how many were at changes of the clocks."""
    written = f' as "{time.format}"' if time.format else f" in {time.unit} since 1970" if time.unit else ""
    line = f"{time.column} ({_types(time.types)}){written}"
    if time.zone:
        line += f", in {time.zone} where they name no zone"
    if time.twice:
        line += f"; {time.twice:,} occur{ending(time.twice)} twice and {_are(time.twice)} taken for the earlier"
    if time.never:
        line += f"; {time.never:,} never occur{ending(time.never)} and {_are(time.never)} moved forward by the gap"
    return line


def _are(rows: int) -> str:
    return "is" if rows == 1 else "are"


def _files(found: Understood | LabelTable) -> str:
    files = "1 file" if found.files == 1 else f"{found.files:,} files"
    return files if found.pieces == found.files else f"{files}, read in {found.pieces:,} pieces as they grew"


def label_lines(found: Understood, delay: LabelDelay | None) -> Iterator[str]:
    """How late labels are, and how many rows have one at the end of what there is; nothing where none is late."""
    table = found.labels
    if delay is not None and delay.delay_s:
        yield (
            f"labels: known {_duration(delay.delay_s)} after their row (label_delay); by the last row's event time "
            f"{_of(delay.known, found.rows)} rows have one that is known, {delay.waiting:,} wait"
        )
    if table is None:
        return
    span = "" if table.first_known_at is None else f", known_at {table.first_known_at} to {table.last_known_at}"
    yield f"labels: {table.rows:,} rows in {_files(table)}, {_size(table.size_bytes)}{span}"
    yield f"known_at: {time_line(table.time)}"
    yield f"keys of labels: {', '.join(_keys(table))}"
    yield f"rows with a label: {', '.join(_rows(table, found.rows))}"


def _keys(table: LabelTable) -> Iterator[str]:
    yield f"{table.keys:,} different in {', '.join(table.key)}"
    if table.repeated:
        yield f"{table.repeated:,} of the labels have the key of another ({table.corrected:,} correct it)"
    if table.without_row:
        yield f"{table.without_row:,} have no row"
    if table.null_keys:
        yield f"{table.null_keys:,} have a null key and are of no row"
    if table.null_labels:
        yield f"{table.null_labels:,} are null, which is no label"


def _rows(table: LabelTable, rows: int) -> Iterator[str]:
    yield f"{_of(table.labelled, rows)} have one that is known by the last row's event time"
    if table.waiting:
        yield f"{table.waiting:,} have one that is known later"
    if table.too_late and table.patience_s is not None:
        yield f"{table.too_late:,} got theirs after more than {_duration(table.patience_s)} (patience)"
    if table.unlabelled:
        yield f"{table.unlabelled:,} have none"
    if table.given_up:
        yield f"{table.given_up:,} are given up"


def label_line(label: Label, table: LabelTable | None = None) -> str:
    """Its classes, the commonest by name; of other numbers what they span. `table`: that it stands in."""
    started = f"{label.name} ({_types(label.types)})"
    if table is not None:
        started += ", of rows that have one"
    elif label.nulls:
        started += f", {label.nulls:,} null, which are {label.nulls_become}"
    if label.classes is None and label.mean is not None:
        ends = f"{_number(label.minimum)} to {_number(label.maximum)}"
        return f"{started}, {ends}, mean {label.mean:.6g}, std {label.std:.6g}"
    if not label.classes:
        return f"{started}, {'no class' if label.classes is not None else f'more than {MOST_TEXTS:,} classes'}"
    shown = [f"{_class(one.label)} {_share(one.share)} ({one.rows:,})" for one in label.classes[:_MOST_CLASSES]]
    more = len(label.classes) - _MOST_CLASSES
    classes = "1 class" if len(label.classes) == 1 else f"{len(label.classes):,} classes"
    return f"{started}, {classes}: {', '.join(shown)}" + (f", … and {more:,} more" if more > 0 else "")


def _class(label: float | str) -> str:
    """A number, or a text in quotes: it may be blank."""
    return printable(repr(label)) if isinstance(label, str) else str(label)


def _table(features: tuple[Feature, ...]) -> Table:
    table = Table("feature", "type", "nulls", "values", "becomes")
    for one in features:
        name = printable(one.name) or "(no name)"
        nulls = f"{one.nulls:,}, become {one.nulls_become}" if one.nulls else "–"
        row = (f"{name} (folder)" if one.folder else name, _types(one.types), nulls, _values(one), one.becomes)
        table.add_row(*(Text(cell) for cell in row))
    return table


def _types(types: tuple[str, ...]) -> str:
    return ", later ".join(types)


def _values(one: Feature) -> str:
    counts = one.distinct is not None and (not isinstance(one.minimum, float) or one.distinct <= _FEW)
    distinct = f"{one.distinct:,} different" if counts else ""
    if one.minimum is None:
        return distinct or "–"
    if one.distinct == 1:
        return _number(one.minimum)
    ends = f"{_number(one.minimum)} to {_number(one.maximum)}"
    return f"{ends}, {distinct}" if distinct else ends


def _number(value: Value | None) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _share(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "below 0.1 %"


def _of(count: int, rows: int) -> str:
    return f"{count:,} ({_share(count / rows)})" if count else "0"


def _size(size_bytes: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} B" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:,.1f} GB"


def _duration(seconds: float) -> str:
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit_s:
            return f"{seconds / unit_s:,.1f} {unit}"
    return f"{seconds:g} s"

"""The closing table: what a terminal shows of a summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from shared.timestamps import to_the_minute
from shared.words import counted
from supervisor.results.estimates import remarks
from supervisor.results.took import duration, selects_long

_FIRST_SHOWN, _LAST_SHOWN = 3, 5
_TITLES = {"f1": "f1 (macro)"}  # what a table says of a metric beside its label
_BASELINES = {"first_model": "first model kept", "majority": "majority so far", "no_change": "no change"}
_OF_NUMBERS = {**_BASELINES, "majority": "mean so far"}
_TRIGGER_COLUMNS: dict[str, Literal["left", "right"]] = {
    "trigger": "right",
    "event time": "left",
    "rows": "right",
    "selected": "right",
    "training": "right",
    "model": "left",
}


def closing_table(content: Mapping[str, Any]) -> Group:
    """The triggers, and the composite beside what it must be compared with."""
    triggers = content["trigger_list"]
    # Plain text: a reason may hold what rich would take for markup.
    failures = [Text(f"trigger {one['id']} failed: {one['reason']}", "red") for one in content["failed_triggers"]]
    listed: list[RenderableType] = [_trigger_table(triggers), *failures, ""] if triggers else []
    cost = map(Text, _of_cost(content.get("cost")))  # an older run has none; below the table it is one line
    return Group(*listed, _composite_table(content), *cost)


def _composite_table(content: Mapping[str, Any]) -> Table:
    table = Table(title=f"run {content['status']}: {content['triggers']} triggers, {content['wall_s']:.1f} s")
    metrics = list(content["composite"])
    table.add_column(_composite_of(content["composite_rows"]))
    for metric in metrics:
        table.add_column(_TITLES.get(metric, metric), justify="right")
    rows = {
        "this pipeline": content["composite"],
        **({"what was deployed": content["deployed_composite"]} if content["targets"] else {}),
        **{title: content["baselines"][name] for name, title in _titles(content).items()},
    }
    for name, values in rows.items() if content["composite_rows"]["rows"] else ():  # else a table of dashes
        style = "bold" if name == "this pipeline" else None
        table.add_row(name, *("–" if values[m] is None else f"{values[m]:.4f}" for m in metrics), style=style)
    table.caption = "\n".join(_remarks(content))
    return table


def _titles(content: Mapping[str, Any]) -> dict[str, str]:
    """What the baselines are called: of labels that are numbers the majority is their mean."""
    return _OF_NUMBERS if content["task"] == "regression" else _BASELINES


def _composite_of(scored: Mapping[str, Any]) -> str:
    """Two composites are to be compared only if they are of the same rows."""
    if not scored["rows"]:
        return "composite of no rows"
    first, last = (to_the_minute(scored[end]) for end in ("first_timestamp", "last_timestamp"))
    return f"composite of {scored['rows']:,} rows,\n{first} to {last}"


def _remarks(content: Mapping[str, Any]) -> Iterator[str]:
    """What is deployed, and what else must be known to read the composite."""
    targets = content["targets"]
    if targets and content["deployed_left_out"]:
        left_out = _by_metric(content["deployed_left_out"])
        yield f"rows left out of what was deployed, as no model of this run was: {left_out}"
    for name, by_metric in content["baselines_left_out"].items():
        yield f"rows left out of {_titles(content)[name]}, which has no score of them: {_by_metric(by_metric)}"
    for target in targets:
        where = f" to {target['name']}" if len(targets) > 1 else ""
        yield f"deployed{where}: {_holding(target, content['run_id'])}"
    if not targets:
        yield "deployed: nothing"
    if not content["triggers"]:
        span = [content[end] or "–" for end in ("first_timestamp", "last_timestamp")]
        yield f"the trigger policy never fired: {content['samples_seen']:,} rows, {span[0]} to {span[1]}"
    if selects_long(content):
        yield f"trained {duration(content['train_s'])}, selected {duration(content['select_s'])}"
    yield from _of_looks(content["looks"])
    yield from _of_rows(content)
    if content["estimates"] is not None:
        yield from remarks(content["estimates"])
    undefined = {metric: count for metric, count in content["undefined_windows"].items() if count}
    if undefined:
        yield "windows left out as undefined: " + ", ".join(f"{m} {count}" for m, count in undefined.items())
    for what, key in (("nulls met", "nulls"), ("rows with unknown categories", "unknown_categories")):
        if content[key]:
            yield f"{what}: " + ", ".join(f"{name} {count:,}" for name, count in content[key].items())
    survived = {fault.replace("_", " "): count for fault, count in content["faults"].items() if count}
    if survived:
        yield "faults survived: " + ", ".join(f"{fault} {count}" for fault, count in survived.items())


def _of_looks(looks: Mapping[str, int]) -> Iterator[str]:
    """How often the policy looked, where it did."""
    told = [f"{count:,} {what.replace('_', ' ')}" for what, count in looks.items() if count]
    if told:
        yield f"trigger policy: {', '.join(told)}"


def _of_cost(cost: Mapping[str, Any] | None) -> Iterator[str]:
    """Where there is a price: what the run has cost by it."""
    if cost is not None:
        price, errors = cost["price"], cost["errors"]
        trainings = f"{counted(cost['trainings'], 'training')} at {price['training']:g}"
        told = f"{trainings} and {errors:,.6g} errors ({price['metric']}) at {price['error']:g}"
        yield f"cost: {cost['total']:,.6g}, of {told}"


def _by_metric(rows_of: Mapping[str, int]) -> str:
    """One number where all metrics have the same."""
    rows = set(rows_of.values())
    if len(rows_of) > 1 and len(rows) == 1:
        return f"{rows.pop():,}"
    return ", ".join(f"{metric} {rows:,}" for metric, rows in rows_of.items())


def _of_rows(content: Mapping[str, Any]) -> Iterator[str]:
    """Rows and files that are not as others are."""
    misdated = content["misdated"]
    if misdated["rows"]:
        first = f"{misdated['timestamp']} in {misdated['file']}, key {misdated['key']}"
        yield f"rows dated too late to advance event time: {misdated['rows']:,}, the first {first}"
    clocks = [f"{rows:,} {how}" for how, rows in content["clock_changes"].items() if rows]
    if clocks:
        yield f"local times that occur twice or never: {', '.join(clocks)}"
    if content["files_not_read"]:
        yield f"files not read: {content['files_not_read']:,}, the first {next(iter(content['not_read']))}"
    aside = [one for one in content["set_aside"] if one["released_by"] is None]
    trained = [one for one in content["violations"] if one["on_violation"] == "alert"]
    for what, found in (("set aside", aside), ("not as expected, and trained on", trained)):
        if found:
            rows = sum(one["last_key"] - one["first_key"] + 1 for one in found)
            yield f"rows {what}: {rows:,}, the first at key {found[0]['first_key']}: {found[0]['why']}"
    if content["unlabelled"]:
        yield f"rows without a label: {content['unlabelled']:,}"


def _holding(target: Mapping[str, Any], run_id: str) -> str:
    if target["trigger"] is None:
        return "nothing"
    whose = "" if target["run"] == run_id else f" of run {target['run']}"
    return f"model {target['trigger']}{whose}"


def _trigger_table(triggers: Sequence[Mapping[str, Any]]) -> Table:
    """The first and the last triggers, one line each."""
    table = Table(box=SIMPLE_HEAD)
    for name, justify in _TRIGGER_COLUMNS.items():
        table.add_column(name, justify=justify)
    late = any(one["labelled_key"] != one["key"] for one in triggers)
    if late:
        table.add_column("labels known to key", justify="right")
    hidden = len(triggers) - _FIRST_SHOWN - _LAST_SHOWN
    for index, trigger in enumerate(triggers):
        if index == _FIRST_SHOWN and hidden > 1:
            table.add_row("…", f"{hidden} more", style="dim")
        if hidden <= 1 or not _FIRST_SHOWN <= index < _FIRST_SHOWN + hidden:
            known = [_key(trigger["labelled_key"])] if late else []
            table.add_row(*_trigger_row(trigger), *known)
    return table


def _key(key: int | None) -> str:
    return "–" if key is None else f"{key:,}"


def _trigger_row(trigger: Mapping[str, Any]) -> tuple[str, ...]:
    train_s = trigger["train_s"]
    return (
        str(trigger["id"]),
        to_the_minute(trigger["timestamp"]),
        f"{trigger['samples_seen']:,}",
        f"{trigger['samples_selected']:,}",
        "–" if train_s is None else f"{train_s:.1f} s",
        "failed" if trigger["error"] else "deployed" if trigger["deployed"] else "–",
    )

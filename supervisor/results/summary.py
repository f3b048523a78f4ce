"""summary.json and the closing table: what a run came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from shared.config.pipeline import Target
from shared.config.secrets import hide
from shared.messages.reports import TargetDecision
from shared.timestamps import format_timestamp
from supervisor.core.events import Misdated
from supervisor.core.state import RunState
from supervisor.core.trigger_state import Phase, TriggerState
from supervisor.results.composite import Composite
from supervisor.results.tally import Tally, TriggerFacts

_FIRST_SHOWN, _LAST_SHOWN = 3, 5
_TITLES = {"f1": "f1 (macro)"}  # what a table says of a metric beside its label
_TRIGGER_COLUMNS: dict[str, Literal["left", "right"]] = {
    "trigger": "right",
    "event time": "left",
    "rows": "right",
    "selected": "right",
    "training": "right",
    "model": "left",
}


def summary(state: RunState, tally: Tally, targets: Sequence[Target], about: Mapping[str, Any]) -> dict[str, Any]:
    """The content of summary.json; `about` brings what neither events nor state know: wall_s."""
    composites = tally.composites(state)
    triggers = [state.trigger(index) for index in range(len(state.triggers))]
    listed = [_row(one, tally.facts[one.fired.id]) for one in triggers if one.phase is not Phase.COALESCED]
    behind = tally.facts[listed[-1]["id"]] if listed else TriggerFacts()  # knows the rows after the last trigger
    return {
        "status": state.status,
        "reason": tally.ended_because,
        "mode": "experiment" if state.experiment else "production",
        "run_id": state.run_id,
        "triggers": len(listed),
        "trigger_list": listed,
        "failed_triggers": [{"id": row["id"], "reason": row["error"]} for row in listed if row["error"]],
        "samples_seen": state.stream.observed_key - state.first_usable_key + 1,
        "first_timestamp": _moment(state.stream.began_us),
        "last_timestamp": _moment(state.stream.event_time_us),
        "misdated": _misdated(state.stream.misdated),
        "not_read": state.unread.named,
        "files_not_read": state.unread.files,
        "samples_trained": sum(row["samples_selected"] for row in listed),
        "nulls": _summed([*(row["nulls"] for row in listed), behind.unscored]),
        "unknown_categories": _summed(
            {name: one["rows"] for name, one in row["unknown_categories"].items()} for row in listed
        ),
        "composite": _values(composites["pipeline"]),
        "deployed_composite": _values(composites["deployed"]),
        "baselines": {name: _values(composites[name]) for name in ("majority", "no_change", "first_model")},
        "deployed_left_out": _left_out(composites["pipeline"], composites["deployed"]),
        "undefined_windows": {m: one.undefined_windows for m, one in composites["pipeline"].items()},
        "deployed": state.deployed,
        "targets": [_target(target, tally.targets.get(target.name)) for target in targets],
        "faults": {
            "republished": tally.republished,
            "workers_lost": tally.workers_lost,
            "reconnects": tally.reconnects,
        },
        **about,
    }


def _row(trigger: TriggerState, facts: TriggerFacts) -> dict[str, Any]:
    """An entry of `trigger_list`."""
    return {
        "id": trigger.fired.id,
        "key": trigger.fired.key,
        "timestamp": format_timestamp(trigger.fired.timestamp_us),
        "reason": trigger.fired.reason,
        "samples_seen": trigger.fired.key - trigger.first_key + 1,
        "samples_selected": facts.samples_selected,
        "train_s": facts.train_s,
        "nulls": facts.nulls,
        "unknown_categories": msgspec.to_builtins(facts.features.unknown),
        "deployed": facts.deployed,
        "decision": facts.reason or None,
        "error": trigger.error or next(iter(facts.errors.values()), None),
    }


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Column → count, over all triggers."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _moment(moment_us: int | None) -> str | None:
    return None if moment_us is None else format_timestamp(moment_us)


def _misdated(found: Misdated | None) -> dict[str, Any]:
    """How many rows are dated too late to advance event time, and the first of them."""
    if found is None:
        return {"rows": 0, "key": None, "file": None, "timestamp": None}
    told = {"key": found.key, "file": found.file, "timestamp": format_timestamp(found.timestamp_us)}
    return {"rows": found.rows, **told}


def _left_out(own: Mapping[str, Composite], deployed: Mapping[str, Composite]) -> dict[str, int]:
    """Scored rows at whose time the first target held no model of this run, by metric, where there are any."""
    rows = {metric: one.rows - deployed[metric].rows for metric, one in own.items()}
    return {metric: count for metric, count in rows.items() if count}


def _target(target: Target, last: TargetDecision | None) -> dict[str, Any]:
    """What a target holds, as the run's last decision on it found it, and why that came out as it did."""
    holds = {key: getattr(last, key, None) for key in ("decision", "run", "trigger", "reason")}
    return {"name": target.name, "uri": hide(target.uri), **holds}


def closing_table(content: Mapping[str, Any]) -> Group:
    """What a terminal shows of a summary: its triggers, and the composite beside what it must be compared with."""
    triggers = content["trigger_list"]
    # Plain text: a reason may hold what rich would take for markup.
    failures = [Text(f"trigger {one['id']} failed: {one['reason']}", "red") for one in content["failed_triggers"]]
    listed: list[RenderableType] = [_trigger_table(triggers), *failures, ""] if triggers else []
    return Group(*listed, _composite_table(content))


def _composite_table(content: Mapping[str, Any]) -> Table:
    table = Table(title=f"run {content['status']}: {content['triggers']} triggers, {content['wall_s']:.1f} s")
    metrics = list(content["composite"])
    table.add_column("composite over the stream")
    for metric in metrics:
        table.add_column(_TITLES.get(metric, metric), justify="right")
    rows = {
        "this pipeline": content["composite"],
        **({"what was deployed": content["deployed_composite"]} if content["targets"] else {}),
        "first model kept": content["baselines"]["first_model"],
        "majority so far": content["baselines"]["majority"],
        "no change": content["baselines"]["no_change"],
    }
    for name, values in rows.items():
        style = "bold" if name == "this pipeline" else None
        table.add_row(name, *("–" if values[m] is None else f"{values[m]:.4f}" for m in metrics), style=style)
    table.caption = "\n".join(_remarks(content))
    return table


def _remarks(content: Mapping[str, Any]) -> Iterator[str]:
    """What is deployed, and what else must be known to read the composite."""
    targets = content["targets"]
    for metric, rows in content["deployed_left_out"].items() if targets else ():
        yield f"rows left out of what was deployed, as no model of this run was: {metric} {rows:,}"
    for target in targets:
        where = f" to {target['name']}" if len(targets) > 1 else ""
        yield f"deployed{where}: {_holding(target, content['run_id'])}"
    if not targets:
        yield "deployed: nothing"
    if not content["triggers"]:
        span = [content[end] or "–" for end in ("first_timestamp", "last_timestamp")]
        yield f"the trigger policy never fired: {content['samples_seen']:,} rows, {span[0]} to {span[1]}"
    misdated = content["misdated"]
    if misdated["rows"]:
        first = f"{misdated['timestamp']} in {misdated['file']}, key {misdated['key']}"
        yield f"rows dated too late to advance event time: {misdated['rows']:,}, the first {first}"
    if content["files_not_read"]:
        yield f"files not read: {content['files_not_read']:,}, the first {next(iter(content['not_read']))}"
    left_out = {metric: count for metric, count in content["undefined_windows"].items() if count}
    if left_out:
        yield "windows left out as undefined: " + ", ".join(f"{m} {count}" for m, count in left_out.items())
    for what, key in (("nulls met", "nulls"), ("rows with unknown categories", "unknown_categories")):
        if content[key]:
            yield f"{what}: " + ", ".join(f"{name} {count:,}" for name, count in content[key].items())
    survived = {fault.replace("_", " "): count for fault, count in content["faults"].items() if count}
    if survived:
        yield "faults survived: " + ", ".join(f"{fault} {count}" for fault, count in survived.items())


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
    hidden = len(triggers) - _FIRST_SHOWN - _LAST_SHOWN
    for index, trigger in enumerate(triggers):
        if index == _FIRST_SHOWN and hidden > 1:
            table.add_row("…", f"{hidden} more", style="dim")
        if hidden <= 1 or not _FIRST_SHOWN <= index < _FIRST_SHOWN + hidden:
            table.add_row(*_trigger_row(trigger))
    return table


def _trigger_row(trigger: Mapping[str, Any]) -> tuple[str, ...]:
    train_s = trigger["train_s"]
    return (
        str(trigger["id"]),
        trigger["timestamp"][:16].replace("T", " "),
        f"{trigger['samples_seen']:,}",
        f"{trigger['samples_selected']:,}",
        "–" if train_s is None else f"{train_s:.1f} s",
        "failed" if trigger["error"] else "deployed" if trigger["deployed"] else "–",
    )


def _values(composites: Mapping[str, Composite]) -> dict[str, float | None]:
    return {metric: one.value for metric, one in composites.items()}

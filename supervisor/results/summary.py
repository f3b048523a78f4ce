"""summary.json: what a run came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from shared.config.pipeline import Target
from shared.config.secrets import hide
from shared.messages.reports import TargetDecision
from shared.timestamps import format_timestamp
from supervisor.core.seen import Misdated
from supervisor.core.state import RunState
from supervisor.core.trigger_state import Phase, TriggerState
from supervisor.results import costs, set_aside
from supervisor.results.composite import Composite
from supervisor.results.tally import Stretch, Tally, TriggerFacts

_BASELINES = ("majority", "no_change", "first_model")


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
        "looks": {"questions": state.stream.questions, "near_misses": state.stream.near_misses},
        "failed_triggers": [{"id": row["id"], "reason": row["error"]} for row in listed if row["error"]],
        "samples_seen": state.stream.observed_key - state.first_usable_key + 1,
        "first_timestamp": _moment(state.stream.began_us),
        "last_timestamp": _moment(state.stream.event_time_us),
        "misdated": _misdated(state.stream.misdated),
        "clock_changes": {"twice": state.stream.clock_changes.twice, "never": state.stream.clock_changes.never},
        "not_read": state.unread.named,
        "files_not_read": state.unread.files,
        "violations": msgspec.to_builtins(tally.violations),
        "set_aside": set_aside.listed(state.stream.set_aside),
        "samples_trained": sum(row["samples_selected"] for row in listed),
        "train_s": sum(row["train_s"] or 0.0 for row in listed),
        "select_s": sum(row["select_s"] or 0.0 for row in listed),
        "unlabelled": state.stream.unlabelled + sum(tally.dropped()) + sum(behind.unscored.values()),
        "nulls": _summed([*(row["nulls"] for row in listed), behind.unscored]),
        "unknown_categories": _summed(
            {name: one["rows"] for name, one in row["unknown_categories"].items()} for row in listed
        ),
        "task": tally.task,
        "classes": state.classes,
        "composite": _values(composites["pipeline"]),
        "composite_rows": _stretch(tally.composite_rows()),
        "deployed_composite": _values(composites["deployed"]),
        "baselines": {name: _values(composites[name]) for name in _BASELINES},
        "baselines_left_out": _not_on_all_rows(composites),
        "deployed_left_out": _left_out(composites["pipeline"], composites["deployed"]),
        "estimates": tally.estimated(),
        "undefined_windows": {m: one.undefined_windows for m, one in composites["pipeline"].items()},
        "cost": _cost(tally, listed, composites["pipeline"]),
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
        "labelled_key": trigger.fired.labelled_key,
        "timestamp": format_timestamp(trigger.fired.timestamp_us),
        "reason": trigger.fired.reason,
        "samples_seen": trigger.fired.key - trigger.first_key + 1,
        "samples_selected": facts.samples_selected,
        "selected_by": facts.selected_by,
        "select_s": facts.select_s,
        "train_s": facts.train_s,
        "nulls": facts.nulls,
        "unknown_categories": msgspec.to_builtins(facts.features.unknown),
        "deployed": facts.deployed,
        "decision": facts.reason or None,
        "error": trigger.error or next(iter(facts.errors.values()), None),
    }


def _cost(tally: Tally, listed: Sequence[Mapping[str, Any]], own: Mapping[str, Composite]) -> dict[str, Any] | None:
    """What the run has cost; None without a price."""
    if tally.price is None:
        return None
    trainings = sum(one["train_s"] is not None for one in listed)
    return costs.cost(tally.price, trainings, own[tally.price.metric.label])


def _summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Column → count, over all triggers."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def _moment(moment_us: int | None) -> str | None:
    return None if moment_us is None else format_timestamp(moment_us)


def _stretch(scored: Stretch) -> dict[str, Any]:
    return {
        "rows": scored.rows,
        "first_timestamp": _moment(scored.first_us),
        "last_timestamp": _moment(scored.last_us),
    }


def _misdated(found: Misdated | None) -> dict[str, Any]:
    """How many rows are dated too late to advance event time, and the first of them."""
    if found is None:
        return {"rows": 0, "key": None, "file": None, "timestamp": None}
    told = {"key": found.key, "file": found.file, "timestamp": format_timestamp(found.timestamp_us)}
    return {"rows": found.rows, **told}


def _not_on_all_rows(composites: Mapping[str, Mapping[str, Composite]]) -> dict[str, dict[str, int]]:
    """Baseline → metric → rows that the pipeline has a score of and it has none, where there are any."""
    found = {name: _left_out(composites["pipeline"], composites[name]) for name in _BASELINES}
    return {name: rows for name, rows in found.items() if rows}


def _left_out(own: Mapping[str, Composite], other: Mapping[str, Composite]) -> dict[str, int]:
    """Scored rows of the pipeline that the other composite is not over, by metric, where there are any.

    For what was deployed: those at whose time the first target held no model of this run.
    """
    rows = {metric: one.rows - other[metric].rows for metric, one in own.items()}
    return {metric: count for metric, count in rows.items() if count}


def _target(target: Target, last: TargetDecision | None) -> dict[str, Any]:
    """What a target holds, as the run's last decision on it found it, and why that came out as it did."""
    holds = {key: getattr(last, key, None) for key in ("decision", "run", "trigger", "reason")}
    return {"name": target.name, "uri": hide(target.uri), **holds}


def _values(composites: Mapping[str, Composite]) -> dict[str, float | None]:
    return {metric: one.value for metric, one in composites.items()}

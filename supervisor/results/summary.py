"""summary.json and the closing table: what a run came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from shared.timestamps import format_timestamp
from supervisor.core.state import Phase, RunState
from supervisor.results.composite import Composite
from supervisor.results.tally import Tally


def summary(state: RunState, tally: Tally, about: Mapping[str, Any]) -> dict[str, Any]:
    """The content of summary.json; `about` brings what neither events nor state know: wall_s, faults."""
    composites = tally.composites(state)
    triggers = [state.trigger(index) for index in range(len(state.triggers))]
    listed = []
    for trigger in triggers:
        facts = tally.facts[trigger.fired.id]
        row = {
            "id": trigger.fired.id,
            "key": trigger.fired.key,
            "timestamp": format_timestamp(trigger.fired.timestamp_us),
            "reason": trigger.fired.reason,
            "samples_seen": trigger.fired.key - trigger.first_key + 1,
            "samples_selected": facts.samples_selected,
            "train_s": facts.train_s,
            "deployed": facts.deployed,
            "decision": facts.reason or None,
            "error": trigger.error or facts.error,
        }
        if trigger.phase is not Phase.COALESCED:
            listed.append(row)
    return {
        "status": state.status,
        "mode": "experiment" if state.experiment else "production",
        "run_id": state.run_id,
        "triggers": len(listed),
        "trigger_list": listed,
        "failed_triggers": [row["id"] for row in listed if row["error"]],
        "samples_seen": state.observed_key - (0 if state.train_on_everything else state.first_key) + 1,
        "samples_trained": sum(row["samples_selected"] for row in listed),
        "composite": _values(composites["pipeline"]),
        "deployed_composite": _values(composites["deployed"]),
        "baselines": {name: _values(composites[name]) for name in ("majority", "no_change", "first_model")},
        "undefined_windows": {m: one.undefined_windows for m, one in composites["pipeline"].items()},
        "deployed": state.deployed,
        **about,
    }


def closing_table(content: Mapping[str, Any]) -> Table:
    """The composite beside what it must be compared with."""
    table = Table(title=f"run {content['status']}: {content['triggers']} triggers, {content['wall_s']:.1f} s")
    metrics = list(content["composite"])
    table.add_column("composite over the stream")
    for metric in metrics:
        table.add_column(metric, justify="right")
    rows = {
        "this pipeline": content["composite"],
        "what was deployed": content["deployed_composite"],
        "first model kept": content["baselines"]["first_model"],
        "majority so far": content["baselines"]["majority"],
        "no change": content["baselines"]["no_change"],
    }
    for name, values in rows.items():
        table.add_row(name, *("–" if values[m] is None else f"{values[m]:.4f}" for m in metrics))
    deployed = content["deployed"]
    table.caption = f"deployed: {'nothing' if deployed is None else f'model {deployed}'}"
    return table


def _values(composites: Mapping[str, Composite]) -> dict[str, float | None]:
    return {metric: one.value for metric, one in composites.items()}

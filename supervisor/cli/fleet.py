"""`fleet`: the workers that are alive, and files that runs do not read. It asks none of them, so it always answers."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from rich.table import Table

from shared.command import COMMAND
from shared.config.load import load_system
from shared.fleet import WorkerEntry, lease_ages_s, read_fleet, why_benched
from shared.timestamps import format_timestamp
from supervisor.cli.console import table_console
from supervisor.run.listen.unread_board import Posted, read_boards
from supervisor.system.readiness import reach_running_broker


def run(arguments: argparse.Namespace) -> int:
    """List the workers as a table or as JSON. Raises NotReadyError if the broker does not answer."""
    system = load_system(arguments.config)
    client, _ = reach_running_broker(system)
    workers = read_fleet(client)
    described = describe(workers, lease_ages_s(client, workers))
    boards = read_boards(client)
    client.close()
    console = table_console()
    if arguments.json:
        console.print_json(json.dumps(described))
        return 0
    table = Table("worker", "role", "host", "device", "state", "task", "since", "lease age")
    for one in described:
        device = one["device"] if one["device"] == one["device_name"] else f"{one['device']} ({one['device_name']})"
        table.add_row(
            one["worker"], one["role"], one["host"], device, one["state"], one["task"] or "–",
            one["since"][:19].replace("T", " "), f"{one['lease_age_s']:.1f} s",
        )  # fmt: skip
    if not described:
        console.print(f"No worker is alive; start one with {COMMAND} worker CONFIG --role train.")
    else:
        console.print(table)
    for worker in workers:
        if worker.benched:
            console.print(f"{worker.name} {why_benched(worker)}", markup=False, soft_wrap=True)
    for line in _on_files(boards):
        console.print(line, markup=False, soft_wrap=True)
    return 0


def _on_files(boards: Sequence[Posted]) -> Iterator[str]:
    """What runs do not read of their datasets."""
    for one in boards:
        files = "1 file" if one.unread.files == 1 else f"{one.unread.files:,} files"
        yield f"run {one.run_id} does not read {files} of dataset {one.dataset}:"
        yield from (f"  {sentence}" for sentence in one.unread.named.values())


def describe(workers: Sequence[WorkerEntry], ages_s: Sequence[float]) -> list[dict[str, Any]]:
    """One plain dictionary a worker, as `--json` prints them."""
    described = []
    for worker, age_s in zip(workers, ages_s, strict=True):
        entry = msgspec.to_builtins(worker)
        described.append(
            {
                "worker": worker.name,
                "role": worker.role,
                "host": worker.host,
                "device": worker.device,
                "device_name": worker.device_name,
                "state": worker.state,
                "benched": worker.benched,
                "task": worker.task,
                "since": format_timestamp(worker.since_us),
                "lease_age_s": round(age_s, 3),
                "pid": worker.pid,
                "versions": entry["versions"],
            }
        )
    return described

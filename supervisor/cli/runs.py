"""`runs`: the runs below the artifacts root."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from shared.config.load import load_system
from supervisor.run.directory import RunDirectory


def run(arguments: argparse.Namespace) -> int:
    """List runs, newest last, as a table or as JSON."""
    root = Path(load_system(arguments.config).artifacts_root)
    found = [_describe(journal.parent) for journal in sorted(root.glob("*/*/journal.jsonl"))]
    console = Console()
    if arguments.json:
        console.print_json(json.dumps(found))
        return 0
    table = Table("run directory", "status", "triggers", "deployed", title=f"runs below {root}")
    for one in found:
        deployed = "–" if one["deployed"] is None else f"model {one['deployed']}"
        table.add_row(one["run_dir"], one["status"], "–" if one["triggers"] is None else str(one["triggers"]), deployed)
    console.print(table)
    return 0


def _describe(folder: Path) -> dict[str, Any]:
    """A run by its summary and by who works on it."""
    path = folder / "summary.json"
    try:
        content = dict(json.loads(path.read_text())) if path.exists() else {"status": "killed"}
        running = RunDirectory(folder).supervisor_pid() is not None
    except (OSError, ValueError, TypeError):
        content, running = {"status": "summary.json is damaged"}, False
    return {
        "run_dir": str(folder),
        "status": "running" if running else content.get("status"),
        "triggers": content.get("triggers"),
        "deployed": content.get("deployed"),
    }

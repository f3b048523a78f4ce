"""Where the runs of an artifacts root are, also those that --run-dir put elsewhere: these stand in a list there."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger(__name__)

_LIST = ".runs.jsonl"  # hidden, so that it is no data where the root lies among data


def note_run(root: Path, run_dir: Path) -> None:
    """Have `runs` find a run that begins or goes on, wherever it is; it is noted once."""
    try:
        if run_dir not in {*map(Path.resolve, _by_default(root)), *_listed(root)}:
            _append(root / _LIST, json.dumps({"run_dir": str(run_dir)}, ensure_ascii=False))
    except OSError as error:
        log.warning("! `runs` will not list %s, as %s cannot be used: %s", run_dir, root / _LIST, error.strerror)


def known_runs(root: Path) -> list[Path]:
    """The run directories that are still there."""
    found = _by_default(root)
    places = {one.resolve() for one in found}
    listed = {one for one in _listed(root) if one not in places and os.path.isfile(one / "journal.jsonl")}
    return sorted([*found, *listed])


def noted_places(root: Path) -> set[Path]:
    """Where runs may be about to begin: places that --run-dir named, and those whose names are kept in the root."""
    kept = (note.with_name(note.name[1:].removesuffix(".reserved")) for note in root.glob("*/.*.reserved"))
    return {*_listed(root), *kept}


def _by_default(root: Path) -> list[Path]:
    """Those at root/<pipeline>/<time>, or where --run-dir named a place like that."""
    return [journal.parent for journal in root.glob("*/*/journal.jsonl")]


def _listed(root: Path) -> Iterator[Path]:
    """All that were noted; what is no line of ours is passed over."""
    try:
        lines = (root / _LIST).read_bytes().splitlines()
    except OSError:  # none was noted; whoever notes one says if none can be
        return
    for line in lines:
        try:
            yield Path(json.loads(line)["run_dir"])
        except (ValueError, TypeError, KeyError):
            continue


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size_bytes = os.fstat(file).st_size
        cut_off = size_bytes > 0 and os.pread(file, 1, size_bytes - 1) != b"\n"  # by a full disk
        os.write(file, f"{chr(10) if cut_off else ''}{line}\n".encode())
    finally:
        os.close(file)

"""Target `directory`: a new version beside the old, and one atomic switch of model.json.

`<target>/model.json` names `versions/<decision>/model.safetensors` and its hash. A reader that opened the old
model.json still finds the old object: the version before stays until the next switch.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from shared.artifacts import write_artifact
from shared.errors import NotReadyError


class DecisionStamp(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Decisions are ordered by the start of their run, then by their number; an older one never replaces a newer."""

    run_started_us: int
    number: int
    run_id: str


def deploy(target: Path, stamp: DecisionStamp, attempt: str, body: bytes, about: Mapping[str, Any]) -> bool:
    """Make `body` the model in `target`; False if a newer decision is there. Doing it again changes nothing.

    Raises NotReadyError for a folder that holds something else. The lock is held only to compare and switch.
    """
    record = target / "model.json"
    if target.exists() and not record.exists() and any(p.name not in ("versions", ".lock") for p in target.iterdir()):
        raise NotReadyError(f"{target} holds other files and no model.json; name an empty folder as deployment target.")
    name = f"versions/{stamp.run_started_us}-{stamp.number}-{attempt}/model.safetensors"
    was_there = (target / name).exists()  # a redelivered decision; readers may still hold this version
    ref = write_artifact(str(target / name), body)
    described = {
        "object": name,
        "sha256": ref.sha256,
        "size_bytes": ref.size_bytes,
        **about,
        "decision": msgspec.to_builtins(stamp),
        "load": "from workers.inference import load_model; model = load_model('<this folder>')",
    }
    with (target / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        current = _current(record)
        if current is not None and current > stamp:
            if not was_there:
                shutil.rmtree((target / name).parent)
            return False
        _replace(record, json.dumps(described, indent=2) + "\n")
    _forget_old(target)
    return True


def _current(record: Path) -> DecisionStamp | None:
    if not record.exists():
        return None
    return msgspec.convert(json.loads(record.read_text())["decision"], DecisionStamp)


def _replace(record: Path, text: str) -> None:
    temporary = record.with_name(f".{record.name}.{os.getpid()}")
    with temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(record)


def _forget_old(target: Path) -> None:
    """Keep the newest two versions, by decision; the one named by model.json is always among them."""

    def order(version: Path) -> tuple[int, int]:
        started, number, _ = version.name.split("-", 2)
        return int(started), int(number)

    named = json.loads((target / "model.json").read_text())["object"].split("/")[1]
    versions = sorted((target / "versions").iterdir(), key=order)
    for version in versions[:-2]:
        if version.name != named:
            shutil.rmtree(version, ignore_errors=True)

"""Setting a worker up for a run: its record is read; on a train worker the model is imported and the device warmed.

A message asks for it when the run starts. A worker that was busy then, or that came later, does it when it has claimed
its first task: a model that kills the process that imports it is then known by its lost leases. The record in Redis is
the truth, and each task names the version it needs.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import torch

from shared import names
from shared.dataset.manifest import read_manifest
from shared.dataset.table import open_dataset
from shared.errors import NotReadyError
from shared.ids import RunId
from shared.messages.message import encode
from shared.messages.reports import Finding, SetUp
from shared.messages.setup_record import SetupRecord
from workers.models.build import model_part
from workers.process.child import Child
from workers.process.installed import lacking

# KEYS setup record, reports · ARGV report. Nobody would read, or remove, what comes when the run is over.
_ACKNOWLEDGE = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('XADD', KEYS[2], '*', 'report', ARGV[1]) end
"""


class NotInstalledError(NotReadyError):
    """This worker lacks a package that the pipeline needs; another one may have it, and so may this one, later."""


class Setups:
    """The runs that this process is set up for."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._records: dict[RunId, SetupRecord] = {}
        self._done: dict[RunId, int] = {}  # run → version
        self._lacking: dict[RunId, tuple[Finding, ...]] = {}

    def set_up(self, run_id: RunId, version: int) -> None:
        """Prepare and acknowledge. What goes wrong is in the acknowledgement; the check task will say where."""
        record = self.record(run_id, version)
        lacks = self._lacking[run_id] = lacking(record)
        error = _prepare(record, self._child.device) if self._child.settings.role == "train" else None
        told = SetUp(
            worker=self._child.settings.worker,
            hostname=self._child.settings.hostname,
            setup_version=record.version,
            device=self._child.device,
            versions=self._child.versions,
            error="; ".join(one.sentence for one in lacks) or error,
            findings=lacks,
        )
        keys = (names.setup_key(run_id), names.reports_key(run_id))
        self._child.client.eval(_ACKNOWLEDGE, len(keys), *keys, encode(told))
        self._done[run_id] = record.version

    def be_set_up(self, run_id: RunId, version: int) -> None:
        """Set this worker up for the run, if that was not done before. Raises redis.RedisError."""
        if self._done.get(run_id) != version:
            self.set_up(run_id, version)

    def refuse_what_lacks(self, run_id: RunId) -> None:
        """Raises NotInstalledError if this worker has not all that the run names."""
        sentences = [f"{one.path}: {one.sentence}" for one in self._lacking.get(run_id, ())]
        if sentences:
            raise NotInstalledError(*sentences)

    def record(self, run_id: RunId, version: int) -> SetupRecord:
        """The run's record, read anew unless the one that is known has this version.

        A task may name an older one, that of an earlier session: what holds now is what Redis has. Raises NotReadyError
        if the run was torn down.
        """
        known = self._records.get(run_id)
        if known is None or known.version != version:
            known = self._records[run_id] = self._read(run_id)
        return known

    def forget(self, run_id: RunId) -> None:
        """Forget the run, and give its memory on the device back."""
        self._records.pop(run_id, None)
        self._done.pop(run_id, None)
        self._lacking.pop(run_id, None)
        self._child.shelf.clear()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()

    def _read(self, run_id: RunId) -> SetupRecord:
        body = self._child.client.get(names.setup_key(run_id))
        if body is None:
            raise NotReadyError(
                f"run {run_id} is not set up any more: it ended, or Redis was wiped and it is not back yet."
            )
        try:
            return msgspec.json.decode(str(body), type=SetupRecord)
        except msgspec.MsgspecError as reason:
            raise NotReadyError(f"run {run_id} was set up by a supervisor of another version: {reason}") from None


def _prepare(record: SetupRecord, device: str) -> str | None:
    """What goes wrong, None if all is well."""
    try:
        model_part(record.pipeline.model, record.trusted_modules)
        open_dataset(record.dataset, read_manifest(Path(record.manifest_uri)))
        torch.zeros(1, device=device)
    except Exception as reason:  # whatever it is, the supervisor hears of it
        return f"{type(reason).__name__}: {reason}"
    return None

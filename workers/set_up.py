"""Setting a train worker up for a run: model imported, dataset opened, device warm; then acknowledged."""

from __future__ import annotations

from pathlib import Path

import torch

from shared import names
from shared.dataset.manifest import read_manifest
from shared.dataset.table import open_dataset
from shared.ids import RunId
from shared.messages import SetUp, encode
from workers import child
from workers.models.build import model_part


def set_up_run(run_id: str, setup_version: int) -> None:
    """Prepare and acknowledge; what goes wrong is in the acknowledgement, for the check task will say where."""
    error = None
    try:
        record = child.setup_record(RunId(run_id), setup_version)
        model_part(record.pipeline.model, record.trusted_modules)
        open_dataset(record.dataset, read_manifest(Path(record.manifest_uri)))
        torch.zeros(1, device=child.device())
    except Exception as reason:  # whatever it is, the supervisor hears of it
        error = f"{type(reason).__name__}: {reason}"
    report = SetUp(worker=child.worker_id(), setup_version=setup_version, device=child.device(), error=error)
    child.client().xadd(names.reports_key(RunId(run_id)), {"report": encode(report)})

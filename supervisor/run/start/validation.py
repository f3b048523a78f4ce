"""A run up to, and without, its first event: what `validate` does."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from shared.broker import make_app
from shared.config.load import Configuration
from shared.dataset.column_survey import remarks
from shared.dataset.table import TableDataset
from shared.dataset.time_problems import time_problems
from shared.errors import NotReadyError
from shared.fleet import WorkerEntry
from shared.ids import RunId
from shared.messages.reports import Finding
from shared.temporary import private_folder
from shared.timestamps import format_timestamp
from supervisor.results.times import never_fired
from supervisor.run.broker import AWAY, Broker
from supervisor.run.listen.run_log import RunLog
from supervisor.run.owner import Owner
from supervisor.run.publisher import Publisher
from supervisor.run.start.preparation import Preparation, forget_run, raise_findings
from supervisor.run.start.preview import preview
from supervisor.system.devices import evaluation_device
from supervisor.system.platform import Platform
from supervisor.system.setup import setup_record
from supervisor.system.versions import Versions
from supervisor.system.worker_process import PROJECT, worker_environment


def check_system(configuration: Configuration, tell: Callable[[str], None], *, serves: bool) -> list[WorkerEntry]:
    """Start what a run would start, check it, and stop it again; `tell` is given lines on what was found.

    `serves`: the run would deploy to the targets. Raises ModynError with what is wrong.
    """
    with _log() as log, Platform(configuration, log, serves=serves) as platform:
        dataset, workers = platform.ready()
        for line in (*_on_times(configuration, dataset), *_on_columns(dataset)):
            tell(line)
        evaluation_device(configuration.pipeline, workers)
        run_id = RunId(f"validate-{uuid.uuid4().hex[:8]}")
        root = configuration.system.artifacts_root
        record = setup_record(configuration, run_id, root, str(platform.manifests), serves=False)
        publisher = Publisher(make_app(platform.url), platform.client, run_id, configuration.pipeline.pipeline.name)
        try:
            with Owner(platform.client, run_id, configuration.system.lease_s) as owner:
                broker = Broker(platform.client, owner, publisher, run_id)
                listeners = (RunLog(run_id), Versions())
                Preparation(platform, broker, configuration, record, listeners).carry_out(workers, check=True)
        finally:
            platform.stop_fleet()
            with suppress(*AWAY):  # what went wrong before is not to be hidden
                forget_run(platform.client, publisher, run_id, heard=True)
            publisher.close()
        return workers


def _on_times(configuration: Configuration, dataset: TableDataset) -> Iterator[str]:
    """What looks wrong in the times of the rows, and what the policy makes of them where they are followed."""
    for sentence in time_problems(dataset):
        yield f"! {sentence}"
    if configuration.pipeline.initial_mode != "replay":
        return
    seen = preview(configuration.pipeline, dataset)
    if seen.triggers == 0:
        yield f"! {never_fired(seen.rows, seen.first_us, seen.last_us)}"
    elif seen.first_us is not None and seen.last_us is not None:
        span = f"{format_timestamp(seen.first_us)} to {format_timestamp(seen.last_us)}"
        yield f"trigger policy: {seen.triggers:,} triggers on {seen.rows:,} rows, {span}"


def _on_columns(dataset: TableDataset) -> Iterator[str]:
    """What there is to say of its columns before a model sees them."""
    return (f"dataset {dataset.config.name}: {line}" for line in remarks(dataset))


@contextmanager
def _log() -> Iterator[Path]:
    """Where our own workers write; what says why they could not start is left there until somebody sweeps."""
    folder = private_folder("log")
    try:
        yield folder / "workers.log"
    finally:
        with suppress(OSError):  # not empty
            folder.rmdir()


def check_offline(configuration: Configuration) -> None:
    """Have a process with torch build what pipeline.yaml names. Raises ConfigurationError with what is wrong."""
    request = msgspec.json.encode([configuration.pipeline, configuration.system.trusted_modules])
    done = subprocess.run(
        [sys.executable, "-m", "workers.offline_check"],
        input=request,
        capture_output=True,
        check=False,
        cwd=PROJECT,
        env=worker_environment(configuration.system, "", "cpu"),
    )
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
        raise NotReadyError(f"the check of model, optimizer and loss ended with code {done.returncode}: {last[0]}")
    findings = msgspec.json.decode(done.stdout, type=tuple[Finding, ...])
    raise_findings(findings, configuration)

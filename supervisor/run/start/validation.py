"""A run up to, and without, its first event: what `validate` does."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
from fsspec.implementations.local import LocalFileSystem

from shared.broker import make_app
from shared.config.load import Configuration
from shared.config.secrets import hide
from shared.dataset.discovery import Found
from shared.errors import NotReadyError
from shared.filesystems import filesystem_of
from shared.ids import RunId
from shared.messages.reports import Finding
from shared.temporary import private_folder, scratch_folder
from supervisor.run.broker import AWAY, Broker
from supervisor.run.listen.run_log import RunLog
from supervisor.run.owner import Owner
from supervisor.run.publisher import Publisher
from supervisor.run.start.cautions import of_the_pipeline
from supervisor.run.start.preparation import Preparation, forget_run, raise_findings
from supervisor.run.start.understanding import Understanding, understanding
from supervisor.system.announcing import wrong_with_announcements
from supervisor.system.dataset_readiness import ready_dataset, ready_labels
from supervisor.system.devices import evaluation_device
from supervisor.system.expected import refuse_wrong_expectations
from supervisor.system.platform import Platform
from supervisor.system.protocols import refuse_unknown_protocol
from supervisor.system.setup import setup_record
from supervisor.system.tables import Tables
from supervisor.system.unread import unfit, unreadable
from supervisor.system.versions import Versions
from supervisor.system.worker_process import PROJECT, worker_environment


class Hears(Protocol):
    """Who is told what is found on the way."""

    def understood(self, what: Understanding) -> None:
        """What the dataset holds, and what looks wrong in it."""
        ...

    def warn(self, sentences: list[str]) -> None:
        """What may be wrong beside that."""
        ...


class Ready(NamedTuple):
    """What is ready."""

    workers: int
    tried: bool  # whether there were rows to try the pipeline on


def check_system(configuration: Configuration, hears: Hears, *, follows: bool) -> Ready:
    """Start what a run would start, check it, and stop it again.

    `follows`: the run would follow its dataset, and deploy to the targets. Raises ModynError with what is wrong.
    """
    with _log() as log, Platform(configuration, log, serves=follows, follows=follows) as platform:
        tables, workers = platform.ready(lambda tables: _tell(configuration, hears, tables))
        hears.warn(list(of_the_pipeline(configuration.pipeline, replays=not follows)))
        if follows:
            hears.warn(wrong_with_announcements(configuration.system.notification, platform.url))
        if tables.rows.dataset.rows == 0:
            return Ready(len(workers), tried=False)
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
        return Ready(len(workers), tried=True)


def _tell(configuration: Configuration, hears: Hears, tables: Tables) -> None:
    """What was found of the dataset, some of which may not be read."""
    dataset, labels = tables.rows.dataset, None if tables.labels is None else tables.labels.dataset
    if dataset.rows:
        hears.understood(understanding(configuration.pipeline, dataset, labels))
    else:
        wait = f"a run waits for the first in {dataset.config.uri}"
        hears.warn([f"dataset {dataset.config.name} has no rows yet; {wait}"])
    for one in tables:
        hears.warn([] if one is None else _not_read(one.found))


def _not_read(found: Found) -> list[str]:
    """What lies there and is not read yet, for people."""
    cannot = {**unreadable(found), **unfit(found)}.values()
    waiting = [hide(tail.sentence(file)) for file, tail in found.waiting.items()]
    return [f"not read, and looked at again while a run goes on: {one}" for one in [*cannot, *waiting]]


@contextmanager
def _log() -> Iterator[Path]:
    """Where our own workers write; what says why they could not start is left there until somebody sweeps."""
    folder = private_folder("log")
    try:
        yield folder / "workers.log"
    finally:
        with suppress(OSError):  # not empty
            folder.rmdir()


def look_offline(configuration: Configuration, *, follows: bool = False) -> Understanding:
    """What the dataset holds, where its files are at hand. Raises NotReadyError with why they cannot be looked at, and
    ConfigurationError for what `expect:` names and they do not have.

    `follows`: its table of labels, if it has one, may have none yet, or some that cannot be read.
    """
    config = configuration.system.datasets[configuration.pipeline.data.dataset]
    refuse_unknown_protocol(configuration)
    for uri in (config.uri, *(() if config.labels is None else (config.labels.uri,))):
        if not isinstance(filesystem_of(uri)[0], LocalFileSystem):
            raise NotReadyError(f"dataset {config.name}: not looked at, as {uri} is on no disk of this machine.")
    with scratch_folder("manifests") as manifests:
        rows = ready_dataset(configuration, manifests, follows=False).dataset
        labels = ready_labels(configuration, rows, manifests, follows=follows)
        late = None if labels is None else labels.dataset
        refuse_wrong_expectations(configuration, rows, late, follows=follows)
        if labels is None:
            return understanding(configuration.pipeline, rows)
        told = understanding(configuration.pipeline, rows, labels.dataset)
        return msgspec.structs.replace(told, warnings=(*told.warnings, *_not_read(labels.found)))


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

"""Setting up a run on its train workers: the record in Redis is the truth, messages only point to it."""

from __future__ import annotations

import zlib

import msgspec
import redis

from shared import names
from shared.config.load import Configuration
from shared.config.pipeline import Pipeline, Target
from shared.dataset.manifest import manifest_path
from shared.ids import RunId
from shared.messages.message import encode
from shared.messages.setup_record import SetupRecord
from shared.timestamps import now_us

LABELS = "labels"  # the folder of a run's indexes of labels: each session writes one, named by when it began


def setup_record(
    configuration: Configuration, run_id: RunId, artifacts_uri: str, manifests_root: str, *, serves: bool
) -> SetupRecord:
    """All that a worker needs to know of the run. `serves`: it deploys to the targets, and does not only rehearse.

    Its version is a number for its content. Another session may have something else to say, such as where a run lies
    that was moved: its tasks name another version, and a worker that knew the run before reads the record anew.
    """
    pipeline, system = configuration.pipeline, configuration.system
    dataset = system.datasets[pipeline.data.dataset]
    record = SetupRecord(
        version=0,
        run_id=run_id,
        pipeline=pipeline,
        dataset=dataset,
        manifest_uri=str(manifest_path(manifests_root, dataset.name)),
        labels_uri=None if dataset.labels is None else f"{artifacts_uri}/{LABELS}/{now_us()}",
        artifacts_uri=artifacts_uri,
        trusted_modules=system.trusted_modules,
        lease_s=system.lease_s,
        checkpoints_kept=system.retention.checkpoints,
        targets=deployment_targets(pipeline, artifacts_uri, serves=serves),
    )
    return msgspec.structs.replace(record, version=zlib.crc32(msgspec.json.encode(record)))


def deployment_targets(pipeline: Pipeline, artifacts_uri: str, *, serves: bool) -> tuple[Target, ...]:
    """Where the run deploys: a rehearsal to folders of its own, which are called as the targets are."""
    targets = () if pipeline.deployment is None else pipeline.deployment.targets
    if serves:
        return targets
    own = ((one.name, f"{artifacts_uri}/deployed/{one.name}") for one in targets)
    return tuple(Target(name=name, kind="directory", uri=uri, options={}) for name, uri in own)


def write_setup(client: redis.Redis, record: SetupRecord) -> None:
    """Put the record where workers find it, again after Redis was wiped; what they do for the run is theirs again.

    What was settled before may have been lost since, and be made anew.
    """
    client.set(names.setup_key(record.run_id), encode(record))
    client.delete(names.recall_key(record.run_id), names.settled_key(record.run_id))

"""Setting up a run on its train workers: the record in Redis is the truth, messages only point to it."""

from __future__ import annotations

import zlib

import msgspec
import redis

from shared import names
from shared.config.load import Configuration
from shared.dataset.manifest import manifest_path
from shared.ids import RunId
from shared.messages import SetupRecord, encode


def setup_record(
    configuration: Configuration, run_id: RunId, run_started_us: int, artifacts_uri: str, manifests_root: str
) -> SetupRecord:
    """All that a worker needs to know of the run. Its version is a number for its content.

    Another session may have something else to say, such as where a run lies that was moved: its tasks name another
    version, and a worker that knew the run before reads the record anew.
    """
    pipeline, system = configuration.pipeline, configuration.system
    record = SetupRecord(
        version=0,
        run_id=run_id,
        run_started_us=run_started_us,
        pipeline=pipeline,
        dataset=system.datasets[pipeline.data.dataset],
        manifest_uri=str(manifest_path(manifests_root, pipeline.data.dataset)),
        artifacts_uri=artifacts_uri,
        trusted_modules=system.trusted_modules,
        lease_s=system.lease_s,
        checkpoints_kept=system.retention.checkpoints,
    )
    return msgspec.structs.replace(record, version=zlib.crc32(msgspec.json.encode(record)))


def write_setup(client: redis.Redis, record: SetupRecord) -> None:
    """Put the record where workers find it, again after Redis was wiped; what they do for the run is theirs again."""
    client.set(names.setup_key(record.run_id), encode(record))
    client.delete(names.recall_key(record.run_id))

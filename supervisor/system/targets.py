"""Deployment targets, asked before a run starts, not after its first training, whether a model could be put there."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

from shared.config.load import Configuration
from shared.fleet import WorkerEntry
from shared.targets import open_target


def wrong_with_targets(configuration: Configuration) -> Iterator[str]:
    """One sentence for each target that no model can be put in, as seen from this machine."""
    deployment = configuration.pipeline.deployment
    for number, target in enumerate(deployment.targets if deployment is not None else ()):
        problem = open_target(target).problem()
        if problem is not None:
            path = f"deployment.targets.{number}"
            yield f"{configuration.pipeline_source.where(path)}: {path}: {problem}"


def deploys_here(workers: Sequence[WorkerEntry]) -> bool:
    """Whether a worker that may deploy sees what this machine sees; others may have folders of the same names."""
    here = f"@{socket.gethostname()}"
    return any(one.role == "evaluate" and one.hostname.endswith(here) for one in workers)

"""Where a supervisor serves its metrics: the address is taken before anything starts, and answers once it has."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from shared.addresses import Address
from shared.config.load import Configuration
from shared.config.system import System
from shared.exposition.server import Exposition
from shared.ids import RunId
from supervisor.core.notices import Listener
from supervisor.run.listen.metrics.run_metrics import RunMetrics

log = logging.getLogger(__name__)


def metrics_address(system: System) -> AbstractContextManager[Exposition | None]:
    """A context that holds the address that config.yaml names; None if it names none. Raises NotReadyError."""
    if system.metrics is None:
        return nullcontext()
    return Exposition(Address.of(system.metrics.listen), "metrics.listen")


def serve_metrics(
    at: Exposition | None, configuration: Configuration, run_id: RunId, broker_url: str, journal: Path
) -> tuple[Listener, ...]:
    """Begin to serve, and say where; who has to hear of the run for that."""
    if at is None or configuration.system.metrics is None:
        return ()
    metrics = RunMetrics(configuration, run_id, broker_url, journal)
    at.serve(metrics, targets=partial(metrics.targets, at.address))
    where = f"http://{at.address}/metrics, and those of the workers stand in /targets"
    if at.is_as_wanted:
        log.info("metrics are at %s", where)
    else:
        log.warning("! metrics.listen: %s is taken; metrics are at %s", configuration.system.metrics.listen, where)
    return (metrics,)

"""Whether this worker has what packages of others bring to a pipeline; the supervisor's machine may have more."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from shared.config.within import strategies_within
from shared.errors import ConfigurationError, NotReadyError
from shared.messages.reports import Finding
from shared.messages.setup_record import SetupRecord
from shared.plugins import METRICS, STRATEGIES, TARGETS, Plugins


def lacking(record: SetupRecord) -> tuple[Finding, ...]:
    """What pipeline.yaml names and this worker cannot load, with the place in the file, the host and a remedy.

    Ours is not loaded here: that takes its time, and it is there.
    """
    found = []
    for path, table, name in _named(record):
        if name in table.own:
            continue
        try:
            if name in tuple(table):
                table[name]
                continue
            why = "is not installed; install the package that brings it there, too,"
        except ConfigurationError as error:
            why = f"cannot be loaded ({str(error).rstrip('.')});"
        sentence = f"on {socket.gethostname()} {name} ({table.group}) {why} and start the worker anew."
        found.append(Finding(path=path, sentence=sentence, exit_code=NotReadyError.exit_code))
    return tuple(found)


def _named(record: SetupRecord) -> Iterator[tuple[str, Plugins[object], str]]:
    pipeline = record.pipeline
    for path, name, _ in strategies_within(pipeline.strategy.name, pipeline.strategy.options):
        yield f"{path}.name", STRATEGIES, name
    for number, metric in enumerate(pipeline.evaluation.metrics):
        yield f"evaluation.metrics.{number}", METRICS, metric.name
    for number, target in enumerate(record.targets):
        yield f"deployment.targets.{number}", TARGETS, target.kind

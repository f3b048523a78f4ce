"""Who listens to a run from the moment when it is set up, beside its log, its records and whoever watches."""

from __future__ import annotations

from pathlib import Path

from shared.config.load import Configuration
from shared.config.pipeline import Pipeline
from shared.ids import RunId
from supervisor.core.notices import Listener
from supervisor.run.broker import Broker
from supervisor.run.listen.alert_rules import AlertRules
from supervisor.run.listen.unread_board import UnreadBoard
from supervisor.run.listen.webhooks import Webhooks
from supervisor.run.watch.watch import Watch


def webhooks_of(configuration: Configuration, run_id: RunId, run_dir: Path) -> Webhooks:
    """Those of config.yaml; each alert says of which run it is."""
    about = {"pipeline": configuration.pipeline.pipeline.name, "run_id": run_id, "run_dir": str(run_dir)}
    return Webhooks(configuration.system.alerts, about)


def listeners_of(pipeline: Pipeline, webhooks: Webhooks, broker: Broker, watch: Watch) -> tuple[Listener, ...]:
    """Those that need the broker, the watch, or both."""
    return (
        AlertRules(webhooks, broker, watch, pipeline.training.stall_after_s),
        UnreadBoard(broker.client, broker.run_id, pipeline.data.dataset),
    )

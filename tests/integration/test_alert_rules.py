"""What somebody is alerted to, by a run on a real Redis."""

from __future__ import annotations

import msgspec
import pytest
import redis
from run_of_events import RUN, Run
from workplace import Workplace

from shared.broker import make_app
from shared.claims import Claims
from shared.config.load import load_configuration
from supervisor.run.broker import Broker
from supervisor.run.listen.alert_rules import AlertRules
from supervisor.run.listen.webhooks import Webhooks
from supervisor.run.owner import Owner
from supervisor.run.publisher import Publisher
from supervisor.run.watch.reports import Reports
from supervisor.run.watch.watch import Watch
from supervisor.system.setup import setup_record
from supervisor.system.versions import Versions


@pytest.fixture
def rules(small: Workplace, client: redis.Redis, redis_url: str) -> AlertRules:
    """They take any silence for too long."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    record = setup_record(configuration, RUN, str(small.run_dir), str(small.folder / "runs"), serves=False)
    broker = Broker(client, Owner(client, RUN, 10.0), Publisher(make_app(redis_url), client, RUN, "flights"), RUN)
    watch = Watch(client, Claims(client), Reports(client, RUN, "0"), record, Versions())
    return AlertRules(Webhooks((), {}), broker, watch, stall_after_s=-1.0)


def test_a_run_that_has_ended_is_not_stalled(
    small: Workplace, rules: AlertRules, caplog: pytest.LogCaptureFixture
) -> None:
    """It may leave tasks open; nobody is to wait for what they report."""
    run = Run(small)
    run.fire(9)
    rules.turn(msgspec.structs.replace(run.state, status="failed"), 10)
    assert "nothing was reported" not in caplog.text
    rules.turn(run.state, 10)
    assert "nothing was reported for 0 s, although 1 tasks are open" in caplog.text

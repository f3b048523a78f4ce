"""The check before anything is published: a train worker builds and tries what pipeline.yaml names."""

from __future__ import annotations

import time
from typing import Any, cast

import redis

from shared import names
from shared.config.load import Configuration
from shared.errors import ConfigurationError, NotReadyError
from shared.ids import RunId, TriggerId, task_id
from shared.messages import Checked, CheckTask, Failed, SetUp, decode_report
from supervisor.core.advance import SETUP_VERSION
from supervisor.core.commands import Publish
from supervisor.run.publisher import Publisher

_CHECK_S = 300.0


def check(client: redis.Redis, publisher: Publisher, configuration: Configuration, run_id: RunId) -> list[SetUp]:
    """Have it checked; the setups acknowledged meanwhile. Raises ConfigurationError or NotReadyError with findings."""
    identifier = task_id(run_id, TriggerId(0), "check")
    task = CheckTask(run_id=run_id, trigger_id=TriggerId(0), setup_version=SETUP_VERSION)
    publisher.publish(Publish(task_id=identifier, task=task))
    position, deadline_s, set_up = "0", time.monotonic() + _CHECK_S, []
    while time.monotonic() < deadline_s:
        answer = cast(Any, client.xread({names.reports_key(run_id): position}, block=1000))
        for entry, fields in answer[0][1] if answer else []:
            position = entry
            report = decode_report(fields["report"])
            if isinstance(report, SetUp):
                set_up.append(report)
            if isinstance(report, Failed):
                raise NotReadyError(f"the check of {configuration.pipeline_source.path.name} failed: {report.sentence}")
            if isinstance(report, Checked):
                judge(report, configuration)
                return set_up
    raise NotReadyError(f"no train worker checked the pipeline within {_CHECK_S:.0f} s; see that one is idle.")


def judge(report: Checked, configuration: Configuration) -> None:
    """Findings become errors of the file and line."""
    source = configuration.pipeline_source
    sentences = [f"{source.where(found.path)}: {found.path}: {found.sentence}" for found in report.findings]
    if any(found.exit_code == ConfigurationError.exit_code for found in report.findings):
        raise ConfigurationError(*sentences)
    if sentences:
        raise NotReadyError(*sentences)

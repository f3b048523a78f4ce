"""Before the first event of a run: the train workers set themselves up for it, and one of them tries the pipeline."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import redis

from shared import names
from shared.config.load import Configuration
from shared.errors import ConfigurationError, NotReadyError
from shared.fleet import WorkerEntry, read_fleet
from shared.ids import RunId, TriggerId, parts_of, task_id
from shared.messages import AnyReport, Checked, CheckTask, Failed, SetUp
from shared.timestamps import now_us
from supervisor.core.commands import Publish
from supervisor.core.scoring import SETUP_VERSION
from supervisor.run.publisher import Publisher
from supervisor.run.reports import Reports
from supervisor.run.story import tell_set_up
from supervisor.system.versions import Versions

log = logging.getLogger("run")

_SETUP_S = 30.0  # how long idle workers are waited for; the message expires then
_CHECK_S = 300.0


class Preparation:
    """Setup messages and the check task go out together; what comes back of either is heard here."""

    def __init__(self, client: redis.Redis, publisher: Publisher, configuration: Configuration, run_id: RunId) -> None:
        self._publisher = publisher
        self._configuration = configuration
        self._reports = Reports(client, run_id, "0")
        self._run_id = run_id
        self._checked = False
        self.versions = Versions()

    def carry_out(self, workers: Sequence[WorkerEntry]) -> None:
        """Set up and check. Raises ConfigurationError or NotReadyError with what the check found."""
        train = [worker for worker in workers if worker.role == "train"]
        for worker in train:
            if worker.state == "busy":
                log.info("worker %s is busy with %s; it sets itself up later", worker.hostname, worker.task)
        awaited = {worker.hostname for worker in train if worker.state == "idle"}
        for hostname in awaited:
            self._publisher.set_up(hostname, SETUP_VERSION, _SETUP_S)
        number = now_us()  # the check of a resumed run is another one: the first is recorded as done
        check_id = task_id(self._run_id, TriggerId(0), "check", number)
        check = CheckTask(run_id=self._run_id, trigger_id=TriggerId(0), setup_version=SETUP_VERSION)
        self._publisher.publish(Publish(task_id=check_id, task=check))
        started_s = time.monotonic()
        while not self._checked or (awaited and time.monotonic() - started_s < _SETUP_S):
            awaited -= self._hear()
            if time.monotonic() - started_s > _CHECK_S:
                raise NotReadyError(
                    f"no train worker checked the pipeline within {_CHECK_S:.0f} s; see that one is idle."
                )
        for hostname in sorted(awaited):
            log.warning("! worker %s did not answer within %.0f s; it sets itself up later", hostname, _SETUP_S)

    def _hear(self) -> set[str]:
        """Take answers off the stream, leaving what is for the loop; the hostnames that are set up now."""
        answers = [entry for entry in self._reports.next(0.5) if _is_answer(entry.report)]
        self._reports.drop(answers)
        set_up = set()
        for _, report in answers:
            if isinstance(report, SetUp):
                tell_set_up(report, self.versions)
                set_up.add(report.hostname)
            elif isinstance(report, Failed):
                name = self._configuration.pipeline_source.path.name
                raise NotReadyError(f"the check of {name} failed: {report.sentence}")
            elif isinstance(report, Checked):
                judge(report, self._configuration)
                self._checked = True
        return set_up


def _is_answer(report: AnyReport) -> bool:
    return isinstance(report, SetUp) or parts_of(report.task_id).stage == "check"


def tear_down(client: redis.Redis, publisher: Publisher, run_id: RunId) -> None:
    """Have the workers forget the run, and remove what coordination needed; journal and artifacts stay."""
    for worker in read_fleet(client):
        publisher.tear_down(worker.hostname, _SETUP_S)
    client.delete(names.setup_key(run_id), names.reports_key(run_id), names.leases_key(run_id))


def judge(report: Checked, configuration: Configuration) -> None:
    """Findings become errors of the file and line. Raises ConfigurationError or NotReadyError."""
    source = configuration.pipeline_source
    sentences = [f"{source.where(found.path)}: {found.path}: {found.sentence}" for found in report.findings]
    if any(found.exit_code == ConfigurationError.exit_code for found in report.findings):
        raise ConfigurationError(*sentences)
    if sentences:
        raise NotReadyError(*sentences)

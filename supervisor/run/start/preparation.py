"""Before the first event of a run: the train workers set themselves up for it, and one of them tries the pipeline."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import msgspec
import redis

from shared import names
from shared.claims import Claims
from shared.config.load import Configuration
from shared.errors import ConfigurationError, NotReadyError
from shared.fleet import WorkerEntry, read_fleet
from shared.ids import RunId, TaskId, TriggerId, parts_of, task_id
from shared.messages.reports import AnyReport, Checked, Failed, Finding, SetUp
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import CheckTask
from supervisor.core.commands import Publish
from supervisor.core.notices import Listener
from supervisor.run.broker import AWAY, TRY_AGAIN_S, Broker
from supervisor.run.publisher import Publisher
from supervisor.run.start.patience import Patience, all_elsewhere, is_elsewhere
from supervisor.run.watch.reports import Reports, Unreadable
from supervisor.system.platform import Platform
from supervisor.system.setup import write_setup

log = logging.getLogger(__name__)

_SETUP_S = 30.0  # how long idle workers are waited for; the message expires then
_CHECK_S = 300.0
_LOST_S = 60.0  # a worker that looks idle may be loading what the pipeline needs
_CHECKS = 3  # so often a check is sent whose worker is lost


class Preparation:
    """Setup messages and the check task go out together; what comes back of either is heard here."""

    def __init__(
        self,
        platform: Platform,
        broker: Broker,
        configuration: Configuration,
        record: SetupRecord,
        listeners: Sequence[Listener],
    ) -> None:
        self._platform = platform
        self._broker = broker
        self._client = broker.client
        self._publisher = broker.publisher
        self._configuration = configuration
        self._record = record
        self._listeners = listeners
        self._check = CheckTask(
            run_id=record.run_id,
            trigger_id=TriggerId(0),
            setup_version=record.version,
            device="cuda" if record.pipeline.training.device == "cuda" else "cpu",
        )
        self._reports = Reports(broker.client, record.run_id, "0")
        self._checks: list[TaskId] = []
        self._sent_s = 0.0  # the last of them
        self._checked = False
        self._patience = Patience(time.monotonic())

    def carry_out(self, workers: Sequence[WorkerEntry], *, check: bool) -> None:
        """Set up, and `check` where that was not done before. A broker that goes away meanwhile is waited for, but not
        longer than for a check where nothing has begun yet. Workers that are at others' work are waited for, however
        long that takes.

        Raises ConfigurationError or NotReadyError with what the check found, or what a worker lacks, and RunTakenError.
        """
        self._checked = not check
        self._patience = Patience(time.monotonic())
        while not self._try(workers):
            self._patience.turn(time.monotonic(), elsewhere=0)
            if check and self._patience.counted_s > _CHECK_S:
                raise NotReadyError(f"broker.url: the broker was away for most of {_CHECK_S:.0f} s; see that it runs.")
            self._platform.mend(away=True)
            time.sleep(TRY_AGAIN_S)

    def _try(self, workers: Sequence[WorkerEntry]) -> bool:
        """Set up and check; False if the broker went away, or forgot the run, before that was done."""
        try:
            self._broker.owner.renew()
            write_setup(self._client, self._record)
            self._broker.answered()
            awaited = self._send_set_up(workers)
            started_s = time.monotonic()
            while not self._checked or (awaited and time.monotonic() - started_s < _SETUP_S):
                self._platform.mend(away=False)
                fleet = read_fleet(self._client)
                if not self._checked:
                    self._see_to_check(self._checkers(fleet))
                awaited -= self._hear()
                awaited -= self._at_others(fleet, awaited)
                if not self._client.exists(names.setup_key(self._record.run_id)):
                    return False
                if not self._checked and self._patience.counted_s > _CHECK_S:
                    raise NotReadyError(self._too_late())
        except AWAY as error:
            self._broker.lost(error)
            return False
        for hostname in sorted(awaited):
            log.warning("! worker %s did not answer within %.0f s; it sets itself up later", hostname, _SETUP_S)
        return True

    def _too_late(self) -> str:
        if self._is_at_work():
            return (
                f"the check of the pipeline has not ended for {_CHECK_S:.0f} s: model, loss or optimizer hang, or are "
                "slow beyond measure, on a few rows."
            )
        return f"no train worker has checked the pipeline within {_CHECK_S:.0f} s; see that one is idle."

    def _send_set_up(self, workers: Sequence[WorkerEntry]) -> set[str]:
        """Hostnames of the workers that will answer soon."""
        train = [worker for worker in workers if worker.role == "train"]
        self._at_others(train, {worker.hostname for worker in train})
        awaited = {worker.hostname for worker in train if worker.state == "idle"}
        for hostname in awaited:
            self._publisher.send_set_up(hostname, self._record.version, _SETUP_S)
        return awaited

    def _at_others(self, workers: Sequence[WorkerEntry], awaited: set[str]) -> set[str]:
        """Hostnames of those that are waited for, and are at the work of another run: that may take hours."""
        busy = [one for one in workers if one.hostname in awaited and is_elsewhere(one, self._record.run_id)]
        for worker in busy:
            log.info("worker %s is busy with %s; it sets itself up later", worker.hostname, worker.task)
        return {worker.hostname for worker in busy}

    def _see_to_check(self, checkers: Sequence[WorkerEntry]) -> None:
        """Send the check; again if it is in no queue and with no worker any more, though one could have taken it."""
        elsewhere = all_elsewhere(checkers, self._record.run_id)
        self._patience.turn(time.monotonic(), elsewhere=len(checkers) if elsewhere else 0)
        if self._checks:
            idle = any(worker.state == "idle" for worker in checkers)
            waits = time.monotonic() - self._sent_s < _LOST_S or self._client.llen(self._check.queue)
            if waits or not idle or self._is_at_work():
                return
        if len(self._checks) == _CHECKS:
            raise NotReadyError(
                f"{_CHECKS} workers were lost while they checked the pipeline; their log says what ended them. "
                "Out of memory is the usual cause: lower batch_size, or take a smaller model."
            )
        self._send_check()

    def _is_at_work(self) -> bool:
        """Whether a worker has the check that was sent last."""
        sent = {self._checks[-1]: self._attempt}
        return bool(Claims(self._client).standing(self._record.run_id, sent, self._record.lease_s))

    @property
    def _attempt(self) -> int:
        """That of this session's checks: an earlier session may have sent some, too."""
        return self._broker.owner.attempts_above + 1

    def _checkers(self, fleet: Sequence[WorkerEntry]) -> list[WorkerEntry]:
        """The workers that may check: those that may train."""
        train = [worker for worker in fleet if worker.role == "train"]
        return [worker for worker in train if self._check.queue in names.queues_of(worker.role, worker.device)]

    def _send_check(self) -> None:
        self._sent_s = time.monotonic()
        self._checks.append(task_id(self._record.run_id, TriggerId(0), "check", len(self._checks)))
        task = msgspec.structs.replace(self._check, attempt=self._attempt)
        self._publisher.publish(Publish(task_id=self._checks[-1], task=task))

    def _hear(self) -> set[str]:
        """Take answers off the stream, leaving what is for the loop; the hostnames that are set up now."""
        answers = [entry for entry in self._reports.next(0.5) if _is_answer(entry.report)]
        self._reports.drop(answers)
        set_up = set()
        for _, report in answers:
            if isinstance(report, SetUp):
                if report.setup_version != self._record.version:  # of another session, which had something else to say
                    continue
                for listener in self._listeners:
                    listener.hear(report)
                raise_findings(report.findings, self._configuration)
                set_up.add(report.hostname)
            elif report.attempt != self._attempt:  # likewise
                continue
            elif isinstance(report, Unreadable):
                raise NotReadyError(
                    f"the report on the check cannot be read ({report.why}); start workers of this version."
                )
            elif isinstance(report, Failed) and report.device and self._another_may_check(report):
                log.warning("! another worker is to check the pipeline: on %s %s", report.worker, report.sentence)
                self._send_check()
            elif isinstance(report, Failed):
                name = self._configuration.pipeline_source.path.name
                raise NotReadyError(f"the check of {name} failed: {report.sentence}")
            elif isinstance(report, Checked):
                raise_findings(report.findings, self._configuration)
                self._checked = True
        return set_up

    def _another_may_check(self, report: Failed) -> bool:
        """Whether there is a worker whose device may be better. Raises redis.RedisError."""
        fleet = self._checkers(read_fleet(self._client))
        others = [one for one in fleet if one.worker != report.worker and one.state != "benched"]
        return len(self._checks) < _CHECKS and bool(others)


def _is_answer(report: AnyReport | Unreadable) -> bool:
    return isinstance(report, SetUp) or parts_of(report.task_id).stage == "check"


def forget_run(client: redis.Redis, publisher: Publisher, run_id: RunId, *, heard: bool) -> None:
    """Have the workers forget the run, and remove what coordination needed; journal and artifacts stay.

    Reports that were not `heard` stay, too: a later session will hear them.
    """
    for worker in read_fleet(client):
        publisher.send_tear_down(worker.hostname, _SETUP_S)
    client.delete(names.setup_key(run_id))
    if heard:
        client.delete(names.reports_key(run_id), names.leases_key(run_id), names.settled_key(run_id))
    client.delete(names.progress_key(run_id))


def raise_findings(findings: Sequence[Finding], configuration: Configuration) -> None:
    """Findings become errors of the file and line. Raises ConfigurationError or NotReadyError."""
    sentences = [_placed(found, configuration) for found in findings]
    if any(found.exit_code == ConfigurationError.exit_code for found in findings):
        raise ConfigurationError(*sentences)
    if sentences:
        raise NotReadyError(*sentences)


def _placed(found: Finding, configuration: Configuration) -> str:
    """With file and line. What is wrong with the rows themselves stands where config.yaml says what they are."""
    source, path = configuration.pipeline_source, found.path
    if path == "data.dataset" and found.exit_code == NotReadyError.exit_code:
        source, path = configuration.system_source, f"storage.datasets.{configuration.pipeline.data.dataset}"
    return f"{source.where(path)}: {path}: {found.sentence}"

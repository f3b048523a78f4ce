"""A session: one process that starts or resumes a run, carries it out, and records what it came to."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import redis
from kombu.exceptions import OperationalError

from shared.blame import blame
from shared.broker import make_app
from shared.claims import Claims
from shared.config.load import Configuration
from shared.config.pipeline import Every
from shared.config.secrets import hide
from shared.dataset.discovery import discover
from shared.dataset.table import open_dataset
from shared.dataset.time_problems import file_order_problems
from shared.errors import ConfigurationError, ModynError, NotReadyError, RunTakenError
from shared.ids import RunId
from supervisor.core.events import AnyEvent, Resumed
from supervisor.core.notices import Listener
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.results.tally import Tally
from supervisor.run.act.cleanup import collect
from supervisor.run.broker import Broker
from supervisor.run.directory import RunDirectory
from supervisor.run.journal import Journal
from supervisor.run.listen.alert_rules import AlertRules
from supervisor.run.listen.recorder import Recorder
from supervisor.run.listen.run_field import lines_of
from supervisor.run.listen.run_log import RunLog
from supervisor.run.listen.webhooks import Webhooks
from supervisor.run.loop import Links, Loop
from supervisor.run.owner import Owner
from supervisor.run.publisher import Publisher
from supervisor.run.start.first_events import Scope, first_events, undiscovered
from supervisor.run.start.preparation import Preparation, forget_run
from supervisor.run.start.recovery import recover
from supervisor.run.stop_signal import StopSignal
from supervisor.run.watch.reports import Reports
from supervisor.run.watch.watch import Watch
from supervisor.system.devices import evaluation_device
from supervisor.system.platform import Platform, what_is_started
from supervisor.system.setup import setup_record
from supervisor.system.versions import Versions

log = logging.getLogger(__name__)

MakeView = Callable[[redis.Redis], AbstractContextManager[Listener]]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line adds to the two files."""

    scope: Scope
    run_dir: Path | None = None
    resume: bool = False


class Session:
    """A run being started or resumed, carried out, and recorded."""

    def __init__(self, configuration: Configuration, options: Options, view: MakeView) -> None:
        self._configuration = configuration
        self._options = options
        self._view = view
        self._stop = StopSignal()
        self.directory = RunDirectory(options.run_dir) if options.run_dir else _default_directory(configuration)
        self._recorder = Recorder(configuration.pipeline, self.directory, Tally(configuration.pipeline))
        self._state = RunState(settings=Settings.of(configuration.pipeline, configuration.system.retention.models))
        self._resumed: Resumed | None = None
        self._heard = not options.resume  # nothing that workers reported is left to be heard
        self._files = 0  # of the dataset that the journal knows
        self._mode = configuration.pipeline.initial_mode

    def run(self) -> dict[str, Any] | None:
        """Carry the run out; the summary, None if it was finished before. Raises ModynError.

        Raises KeyboardInterrupt for a signal that comes before the run began: then nothing was written.
        """
        try:
            return self._run()
        finally:
            self.directory.release()

    def _run(self) -> dict[str, Any] | None:
        if not self._options.resume:
            self.directory.refuse_if_taken()
        elif self._recover():
            if not self.directory.is_summed_up:
                self._recorder.record(self._state)
            return None
        run_id = self._state.run_id or RunId(f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}")
        with ExitStack() as stack:
            stack.enter_context(lines_of(run_id))
            log.info("%s …", what_is_started(self._configuration.system))
            with self._stop.deferred():
                log_file, resumed = self.directory.workers_log(), self._resumed is not None
                platform = Platform(self._configuration, log_file, keep_log=resumed, serves=self._serves)
                stack.enter_context(platform)
            return self._on(platform, run_id)

    def _recover(self) -> bool:
        """Take up what the journal says; whether there is nothing left to do."""
        self.directory.reopen(self._configuration)
        found = recover(self._configuration, self.directory)
        self._state = found.state
        self._recorder.go_on_with(found.tally)
        self._resumed, self._files = found.resumed, found.files
        if self._options.scope.experiment and not found.state.experiment:
            raise ConfigurationError(
                f"the run in {self.directory.path} follows its dataset; leave out --experiment-mode."
            )
        return found.state.status == "finished" and not (found.resumed.lost_training_sets or found.resumed.lost_models)

    @property
    def _serves(self) -> bool:
        return self._options.scope.serves if self._resumed is None else self._state.started.serves

    def _on(self, platform: Platform, run_id: RunId) -> dict[str, Any]:
        if self._resumed is None and not self._options.scope.experiment and platform.await_rows():
            self._mode = "replay"  # all rows came while it was waiting for them
        try:
            with Owner(platform.client, run_id, self._configuration.system.lease_s) as owner:
                return self._as_owner(owner, run_id, platform)
        except redis.RedisError as error:
            sentence = f"broker.url: the broker went away while the run was being set up ({hide(str(error))})."
            raise NotReadyError(sentence) from None

    def _as_owner(self, owner: Owner, run_id: RunId, platform: Platform) -> dict[str, Any]:
        dataset, workers = platform.ready()
        root = self._configuration.system.artifacts_root
        dataset = open_dataset(dataset.config, discover(dataset.config, root))  # from now on the keys are for ever
        for sentence in file_order_problems(dataset) if self._resumed is None else ():
            log.warning("! %s", sentence)
        if not self._options.scope.experiment:
            _warn_of_endless_scores(self._configuration)
        record = setup_record(self._configuration, run_id, str(self.directory.path), root, serves=self._serves)
        publisher = self._publisher(platform, run_id)
        broker = Broker(platform.client, owner, publisher, run_id)
        try:
            if self._resumed is None:
                device = evaluation_device(self._configuration.pipeline, workers)
                pipeline = msgspec.structs.replace(self._configuration.pipeline, initial_mode=self._mode)
                first = first_events(pipeline, self._options.scope, dataset, record, device)
            else:
                self._resumed = msgspec.structs.replace(self._resumed, setup_version=record.version)
                first = undiscovered(self._state, self._files, dataset)
            versions = Versions()
            listeners = (RunLog(run_id), versions)
            preparation = Preparation(platform, broker, self._configuration, record, listeners)
            preparation.carry_out(workers, check=self._resumed is None)  # later all workers may be busy for hours
            self._stop.listen()
            if not self._options.resume:
                self.directory.create(self._configuration)
                platform.keep_log(self.directory.path / "workers.log")
            log.info("run directory: %s", self.directory.path)
            reports = Reports(platform.client, run_id, self._state.report_position)
            watch = Watch(platform.client, Claims(platform.client), reports, record, versions)
            with closing(self._webhooks(run_id)) as webhooks, self._view(platform.client) as view:
                links = Links(
                    broker=broker,
                    reports=reports,
                    watch=watch,
                    dataset=dataset,
                    platform=platform,
                    stop=self._stop,
                    listeners=(*listeners, self._recorder, self._alert_rules(webhooks, broker, watch), view),
                )
                return self._carry_out(links, first, webhooks)
        finally:
            platform.stop_fleet()  # our own workers need no message
            if _quietly(owner.renew):
                _quietly(lambda: forget_run(platform.client, publisher, run_id, heard=self._heard))
            publisher.close()

    def _publisher(self, platform: Platform, run_id: RunId) -> Publisher:
        name = self._configuration.pipeline.pipeline.name
        return Publisher(make_app(platform.url), platform.client, run_id, name)

    def _webhooks(self, run_id: RunId) -> Webhooks:
        about = {"pipeline": self._configuration.pipeline.pipeline.name, "run_id": run_id}
        return Webhooks(self._configuration.system.alerts, {**about, "run_dir": str(self.directory.path)})

    def _alert_rules(self, webhooks: Webhooks, broker: Broker, watch: Watch) -> AlertRules:
        return AlertRules(webhooks, broker, watch, self._configuration.pipeline.training.stall_after_s)

    def _carry_out(self, links: Links, first: list[AnyEvent], webhooks: Webhooks) -> dict[str, Any]:
        with closing(Journal(self.directory.journal_path)) as journal:
            loop = Loop(self._configuration, self.directory, journal, self._state, links)
            try:
                state = self._to_its_end(loop, links, first, webhooks)
            except BaseException:
                _quietly(lambda: self._sum_up(loop, links))
                raise
            content = self._sum_up(loop, links)
        links.broker.owner.check()  # it may have been lost while our own workers ended
        self._heard = state.status == "finished" or loop.heard_all
        return content

    def _to_its_end(self, loop: Loop, links: Links, first: list[AnyEvent], webhooks: Webhooks) -> RunState:
        try:
            if self._resumed is not None:
                loop.resume(first, self._resumed)
            else:
                loop.start(first)
            self._heard = False
            state = loop.run()
            links.platform.stop_fleet()  # what it hands back is heard below
            if state.status != "finished":
                loop.recall()
            return loop.finish("stopped", "stopped on request") if state.stopping else state
        except RunTakenError:
            raise
        except Exception as error:
            reason = hide(str(error) if isinstance(error, ModynError) else f"this should not happen: {blame(error)}")
            _quietly(loop.recall)
            if not _quietly(lambda: loop.finish("failed", reason)):  # the journal cannot take it
                webhooks.tell("run_failed", reason)
            raise

    def _sum_up(self, loop: Loop, links: Links) -> dict[str, Any]:
        """Record what the run came to, unless it is another's now."""
        if links.broker.owner.is_lost:
            return {}
        if _quietly(loop.commit):  # else what waits for its name would be taken for garbage
            collect(self.directory.path, loop.state)
        return self._recorder.record(loop.state)


def _warn_of_endless_scores(configuration: Configuration) -> None:
    evaluation = configuration.pipeline.evaluation
    if evaluation.newest is None and any(isinstance(window.extent, Every) for window in evaluation.on):
        log.warning(
            "! evaluation.models: all scores every model on every new slice, for ever; "
            "a run that follows a dataset should say {newest: N}"
        )


def _default_directory(configuration: Configuration) -> RunDirectory:
    folder = Path(configuration.system.artifacts_root) / configuration.pipeline.pipeline.name
    return RunDirectory.fresh(folder, f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}")


def _quietly(act: Callable[[], object]) -> bool:
    """Do what must not hide what went wrong before; whether it was done."""
    try:
        act()
    except (ModynError, redis.RedisError, OperationalError, OSError) as error:
        log.debug("not done: %s", error)
        return False
    return True

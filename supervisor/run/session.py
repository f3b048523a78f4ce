"""A session: one process that starts or resumes a run, carries it out, and records what it came to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import redis

from shared.blame import blame
from shared.broker import make_app
from shared.claims import Claims
from shared.config.load import Configuration
from shared.config.secrets import hide
from shared.errors import ConfigurationError, ModynError, NotReadyError, RunTakenError
from shared.ids import RunId
from supervisor.core.label_finds import labels_known_of
from supervisor.core.notices import Listener
from supervisor.core.state import RunState
from supervisor.results.tally import Tally
from supervisor.run.act.cleanup import collect
from supervisor.run.broker import Broker
from supervisor.run.directory import RunDirectory
from supervisor.run.glance import glance
from supervisor.run.journal import Journal
from supervisor.run.links import Links
from supervisor.run.listen.how_far import HowFar
from supervisor.run.listen.listeners import listeners_of, webhooks_of
from supervisor.run.listen.metrics.serving import metrics_address, serve_metrics
from supervisor.run.listen.recorder import Recorder
from supervisor.run.listen.run_field import lines_of
from supervisor.run.listen.run_log import RunLog
from supervisor.run.listen.webhooks import Webhooks
from supervisor.run.loop import Loop
from supervisor.run.observe.announcements import Announcements, announcements_of
from supervisor.run.owner import Owner
from supervisor.run.progress_note import ProgressNote
from supervisor.run.publisher import Publisher
from supervisor.run.quietly import quietly
from supervisor.run.start.beginning import Beginning, Terms, begin, run_id_of
from supervisor.run.start.first_events import Scope
from supervisor.run.start.grown import grown_since
from supervisor.run.start.preparation import Preparation, forget_run
from supervisor.run.start.recovery import recover
from supervisor.run.stop_signal import StopSignal
from supervisor.run.watch.reports import Reports
from supervisor.run.watch.watch import Watch
from supervisor.system.known_runs import note_run
from supervisor.system.platform import Platform
from supervisor.system.starting import what_is_started
from supervisor.system.versions import Versions

log = logging.getLogger(__name__)

MakeView = Callable[[redis.Redis], AbstractContextManager[Listener]]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line adds to the two files."""

    scope: Scope
    run_dir: Path | None = None
    resume: bool = False
    starts_workers: bool = True  # those that config.yaml asks for; else they are somebody else's


class Session:
    """A run being started or resumed, carried out, and recorded."""

    def __init__(self, configuration: Configuration, options: Options, view: MakeView) -> None:
        self._configuration = configuration
        self._options = options
        self._view = view
        self._stop = StopSignal()
        self.directory = RunDirectory(options.run_dir) if options.run_dir else RunDirectory.fresh(configuration)
        self._terms = Terms(configuration, options.scope)
        self._recorder = Recorder(configuration.pipeline, self.directory, Tally(configuration.pipeline))
        self.grown: str | None = None  # of a replay that was finished before: that its dataset has more rows now
        self._heard = not options.resume  # nothing that workers reported is left to be heard
        self._metrics: tuple[Listener, ...] = ()

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
                self._recorder.record(self._terms.state)
            return None
        run_id = run_id_of(self._terms)
        with ExitStack() as stack:
            stack.enter_context(lines_of(run_id))
            address = stack.enter_context(metrics_address(self._configuration.system))
            log.info("%s …", what_is_started(self._configuration.system, workers=self._options.starts_workers))
            with self._stop.deferred():
                platform = stack.enter_context(self._platform())
            journal = self.directory.journal_path
            self._metrics = serve_metrics(address, self._configuration, run_id, platform.url, journal)
            return self._on(platform, run_id)

    def _recover(self) -> bool:
        """Take up what the journal says; whether there is nothing left to do."""
        self.directory.reopen(self._configuration)
        found = recover(self._configuration, self.directory)
        self._terms = self._terms._replace(past=found)
        self._recorder.go_on_with(found.tally, glance(self.directory.journal_path).worked_us() / 1e6)
        if self._options.scope.experiment and not found.state.experiment:
            raise ConfigurationError(
                f"the run in {self.directory.path} follows its dataset; leave out --experiment-mode."
            )
        over = found.state.status == "finished" and not (found.resumed.lost_training_sets or found.resumed.lost_models)
        if over and found.state.experiment:
            self.grown = grown_since(self._configuration, found.rows, labels_known_of(found.state))
        return over

    def _platform(self) -> Platform:
        terms = self._terms
        return Platform(
            self._configuration,
            self.directory.workers_log(),
            keep_log=terms.past is not None,
            serves=terms.serves,
            follows=terms.follows,
            starts_workers=self._options.starts_workers,
        )

    def _on(self, platform: Platform, run_id: RunId) -> dict[str, Any]:
        if self._terms.past is None and not self._options.scope.experiment and platform.await_rows(self._wait):
            self._terms = self._terms._replace(waited=True)
        try:
            with Owner(platform.client, run_id, self._configuration.system.lease_s) as owner:
                return self._as_owner(owner, run_id, platform)
        except redis.RedisError as error:
            sentence = f"broker.url: the broker went away while the run was being set up ({hide(str(error))})."
            raise NotReadyError(sentence) from None

    def _wait(self) -> None:
        """No row is there yet: have `runs` list this process, and `stop` end it."""
        self.directory.wait()
        if self._options.run_dir:
            note_run(Path(self._configuration.system.artifacts_root), self.directory.path)

    def _as_owner(self, owner: Owner, run_id: RunId, platform: Platform) -> dict[str, Any]:
        begun = begin(self._terms, platform, run_id, self.directory.path)
        publisher = Publisher(
            make_app(platform.url), platform.client, run_id, self._configuration.pipeline.pipeline.name
        )
        broker, versions = Broker(platform.client, owner, publisher, run_id), Versions()
        try:
            log_of_run = RunLog(run_id, platform.telling)
            preparation = Preparation(platform, broker, self._configuration, begun.record, (log_of_run, versions))
            # Later all workers may be busy for hours: then only what may have become wrong is worth the wait.
            preparation.carry_out(begun.workers, check=begun.is_untried)
            self._stop.listen()
            self._make_directory(platform)
            reports = Reports(platform.client, run_id, self._terms.state.report_position)
            watch = Watch(platform.client, Claims(platform.client), reports, begun.record, versions)
            webhooks = webhooks_of(self._configuration, run_id, self.directory.path)
            hears = self._announcements(platform, run_id, reports)
            with closing(webhooks), hears as announcements, self._view(platform.client) as view:
                links = Links(
                    broker=broker,
                    reports=reports,
                    watch=watch,
                    dataset=begun.dataset,
                    labels=begun.labels,
                    announcements=announcements,
                    platform=platform,
                    stop=self._stop,
                    listeners=(log_of_run, versions, *self._joining(webhooks, broker, watch), view),
                )
                return self._carry_out(links, begun, webhooks)
        finally:
            platform.stop_fleet()  # our own workers need no message
            if quietly(owner.renew):
                quietly(lambda: forget_run(platform.client, publisher, run_id, heard=self._heard))
            publisher.close()

    def _announcements(
        self, platform: Platform, run_id: RunId, reports: Reports
    ) -> AbstractContextManager[Announcements | None]:
        """A replay follows nothing, and hears none."""
        if self._terms.replays:
            return nullcontext()
        return announcements_of(self._configuration, platform.url, run_id, reports.wake)

    def _make_directory(self, platform: Platform) -> None:
        """From now on there is a run, or will be as soon as the journal has its first line."""
        if not self._options.resume:
            self.directory.create(self._configuration)
            platform.keep_log(self.directory.path / "workers.log")
        note_run(Path(self._configuration.system.artifacts_root), self.directory.path)
        log.info("run directory: %s", self.directory.path)

    def _joining(self, webhooks: Webhooks, broker: Broker, watch: Watch) -> tuple[Listener, ...]:
        """Those that hear nothing while a run is being set up."""
        tell = (self._recorder, HowFar(), ProgressNote(self.directory.path))
        return *tell, *listeners_of(self._configuration.pipeline, webhooks, broker, watch), *self._metrics

    def _carry_out(self, links: Links, begun: Beginning, webhooks: Webhooks) -> dict[str, Any]:
        with closing(Journal(self.directory.journal_path)) as journal:
            loop = Loop(self._configuration, self.directory, journal, self._terms.state, links)
            try:
                state = self._to_its_end(loop, links, begun, webhooks)
            except BaseException:
                quietly(lambda: self._sum_up(loop, links))
                raise
            content = self._sum_up(loop, links)
        links.broker.owner.check()  # it may have been lost while our own workers ended
        self._heard = state.status == "finished" or loop.heard_all
        return content

    def _to_its_end(self, loop: Loop, links: Links, begun: Beginning, webhooks: Webhooks) -> RunState:
        try:
            if begun.resumed is not None:
                loop.resume(begun.events, begun.resumed)
            else:
                loop.start(begun.events)
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
            quietly(loop.recall)
            if not quietly(lambda: loop.finish("failed", reason)):  # the journal cannot take it
                webhooks.tell("run_failed", reason)
            raise

    def _sum_up(self, loop: Loop, links: Links) -> dict[str, Any]:
        """Record what the run came to, unless it is another's now."""
        if links.broker.owner.is_lost:
            return {}
        if quietly(loop.commit):  # else what waits for its name would be taken for garbage
            collect(self.directory.path, loop.state)
        return self._recorder.record(loop.state)

"""Broker and fleet of one supervisor: started in order, stopped in the opposite order."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import redis

from shared.config.load import Configuration
from shared.dataset.growth import Rest, rest_s
from shared.errors import NotReadyError
from shared.fleet import WorkerEntry
from shared.temporary import private_folder
from supervisor.system.dataset_readiness import await_rows
from supervisor.system.embedded_broker import EmbeddedBroker, find_or_start
from supervisor.system.leftovers import sweep
from supervisor.system.local_fleet import LocalFleet, Loss
from supervisor.system.readiness import reach_broker, ready_workers
from supervisor.system.tables import Tables, ready_tables, tables_with_keys
from supervisor.system.targets import deploys_here, wrong_with_targets
from supervisor.system.unread import Telling
from supervisor.system.workers_log import WorkersLog

log = logging.getLogger(__name__)


class Platform:
    """A context: inside it the broker answers, and the supervisor's own workers run."""

    def __init__(
        self,
        configuration: Configuration,
        log: Path,
        *,
        keep_log: bool = False,
        serves: bool = False,
        follows: bool = False,
        starts_workers: bool = True,
    ) -> None:
        """`log`: where our own workers write; removed at the end unless it is kept. `serves`: a run here deploys to the
        targets, so these have to be usable. `follows`: it follows its dataset, whose files may be written to, and come.
        `starts_workers`: those that config.yaml asks for; else somebody else does, and as many are waited for.
        """
        self._configuration = configuration
        self._log = WorkersLog(log, is_kept=keep_log)
        self._serves, self._follows = serves, follows
        asked = configuration.system.fleet
        self._has_own = starts_workers and bool(asked.train or asked.evaluate)
        # Keys are shared, so a replay, too, gives none to half a line that somebody writes.
        self._rest = Rest(rest_s(configuration.system.notification.waits_s), to_the_end=not follows)
        self.telling = Telling()
        self._undo = ExitStack()
        self._broker: EmbeddedBroker | None = None
        self.fleet: LocalFleet | None = None
        self._lost = 0
        self._hindered = False
        self.url = configuration.system.broker.url
        self.client: redis.Redis
        self.manifests: Path  # copies, for what is not a run yet

    def __enter__(self) -> Platform:
        with self._undo as undo:  # what was started is stopped again if the rest cannot be
            self._start(undo)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._undo.close()

    def _start(self, undo: ExitStack) -> None:
        system = self._configuration.system
        sweep()
        if self.url == "embedded":
            self.url = self._embedded_url(undo)
        self.manifests = private_folder("manifests")
        undo.callback(shutil.rmtree, self.manifests, ignore_errors=True)
        try:
            self.client = reach_broker(self.url, system.broker.masked_url)
        except NotReadyError as error:
            raise NotReadyError(*error.problems, *self._wrong_with_dataset(), *self._wrong_with_targets()) from None
        undo.callback(self.client.close)
        if self._has_own:
            undo.callback(self._log.remove)
            self.fleet = LocalFleet(system, self.url, self._log.path)
            undo.callback(self.stop_fleet)

    def _wrong_with_dataset(self) -> tuple[str, ...]:
        """What can be said of it without a broker."""
        try:
            self._ready_dataset()
        except NotReadyError as error:
            return error.problems
        return ()

    def _embedded_url(self, undo: ExitStack) -> str:
        undo.callback(self._stop_broker)  # last of all: workers that lose their broker complain
        found = find_or_start(self._configuration.system.artifacts_root)
        if isinstance(found, str):
            return found
        self._broker = found
        return found.url

    def _stop_broker(self) -> None:
        if self._broker is not None:
            self._broker.stop()

    def mend(self, *, away: bool) -> None:
        """Start again what died: workers of ours, the embedded broker; `away`: the broker does not answer.

        What cannot be started now, with a full disk or no process to be had, is tried again the next time.
        """
        try:
            self._mend_broker(away)
            self._mend_fleet()
        except (NotReadyError, OSError) as error:
            if not self._hindered:
                log.warning("! what died cannot be started again yet: %s", error)
            self._hindered = True
        else:
            self._hindered = False

    def _mend_broker(self, away: bool) -> None:
        """Start the embedded broker again in the same place, so that every process finds it at the address it knows.

        It ends with the supervisor that started it, and can die by itself, or lose its folder in /tmp to a cleaner:
        whichever supervisor that uses it finds that first takes it over, with what it had written down.
        """
        died = self._broker is not None and self._broker.is_dead
        if not died and (not away or self._broker is not None or self._configuration.system.broker.url != "embedded"):
            return
        self._broker = EmbeddedBroker.in_place_of(self.url, self._configuration.system.artifacts_root)
        if self._broker is not None and died:
            log.warning("! the embedded broker died, or its folder was removed; it was started again")
        elif self._broker is not None:
            log.warning("! the supervisor whose broker this was has ended; started one in its place")

    def _mend_fleet(self) -> None:
        for loss in self.fleet.respawn() if self.fleet is not None else ():
            sweep()
            log.warning(
                "! worker %s died and was started again; its task is published again when its lease ends. It ended "
                "%s (the whole log: %s)",
                loss.worker,
                self._in_words(loss),
                self._log.path,
            )

    def await_rows(self, waits: Callable[[], object]) -> bool:
        """Wait until the dataset that is to be followed has a row; whether there was none at first.

        `waits` is called once, where there is none. What else is not ready is not waited for. Raises NotReadyError.
        """
        looked = False

        def meanwhile() -> None:
            nonlocal looked
            if not looked:
                waits()
                if told := self._wrong_with_targets(self._ready_workers()):
                    raise NotReadyError(*told)
            looked = True
            self.mend(away=False)

        return await_rows(self._configuration, self.manifests, meanwhile, self._rest, self.telling)

    def ready(self, meanwhile: Callable[[Tables], object] | None = None) -> tuple[Tables, list[WorkerEntry]]:
        """The dataset as it was found, and the workers, once all are usable. Raises NotReadyError with all that is
        wrong. `meanwhile` is called with the dataset while workers still start.
        """
        problems: list[str] = []
        tables, workers = None, []
        try:
            tables = self._ready_dataset()
        except NotReadyError as error:
            problems += error.problems
        if tables is not None and meanwhile is not None:
            meanwhile(tables)
        try:
            if tables is not None or self.fleet is None:  # workers of our own need not come up to be sent home
                workers = self._ready_workers()
        except NotReadyError as error:
            problems += error.problems
        problems += self._wrong_with_targets(workers)
        if tables is None or problems:
            raise NotReadyError(*problems)
        return tables, workers

    def give_keys(self) -> Tables:
        """Look once more, and have the keys of what is found last for ever. Raises NotReadyError."""
        return tables_with_keys(self._configuration, self._rest, follows=self._follows)

    def _ready_dataset(self) -> Tables:
        return ready_tables(self._configuration, self.manifests, self._rest, self.telling, follows=self._follows)

    def _ready_workers(self) -> list[WorkerEntry]:
        try:
            return ready_workers(self.client, self._configuration, self._start_failed, own=self._has_own)
        except NotReadyError as error:
            raise NotReadyError(*error.problems, *self._kept_log()) from None

    def _wrong_with_targets(self, workers: Sequence[WorkerEntry] = ()) -> list[str]:
        """What stands in the way of deployments. Where workers deploy from other machines, it may look otherwise there,
        and is only warned of.
        """
        told = list(wrong_with_targets(self._configuration)) if self._serves else []
        own = self._has_own and self._configuration.system.fleet.evaluate > 0
        if own or deploys_here(workers):
            return told
        for sentence in told:
            log.warning("! as this machine sees it, and no worker that deploys runs here: %s", sentence)
        return []

    @property
    def lost(self) -> int:
        """Workers of ours that died."""
        return self._lost + (self.fleet.workers_lost if self.fleet is not None else 0)

    def stop_fleet(self) -> None:
        """Have our own workers hand back what they do, and exit."""
        if self.fleet is not None:
            self._lost += self.fleet.workers_lost
            self.fleet.stop()
            self.fleet = None

    def keep_log(self, place: Path) -> None:
        """Give the log of our own workers its place in the run directory."""
        if self.fleet is not None:
            self._log.keep_at(place)

    def _start_failed(self) -> str | None:
        self._mend_broker(away=False)
        for loss in self.fleet.ended() if self.fleet is not None else ():
            return f"fleet: worker {loss.worker} ended while starting {self._in_words(loss)}"
        return None

    def _in_words(self, loss: Loss) -> str:
        """How it ended, and what it said last."""
        return f"({loss.how}): {self._log.last_words(loss.worker, loss.log_from_byte)}"

    def _kept_log(self) -> list[str]:
        """Where our own workers say why they did not come up, if they do."""
        if self.fleet is None or not (self._log.lines or self.fleet.ended()):
            return []
        self._log.keep()
        return [f"fleet: what our workers said is in {self._log.path}."]

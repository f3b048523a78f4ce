"""The Celery application of a worker, and what happens as its main process and its child start and stop."""

from __future__ import annotations

import logging
from typing import Any

from celery import bootsteps, signals
from celery.utils.log import get_multiprocessing_logger

from shared.broker import make_app
from workers.process.celery_log import PlainLines, Seldom
from workers.process.intake import TakeWhenReady
from workers.process.lease_keeper import LeaseKeeper
from workers.process.settings import own_settings
from workers.process.slot import SlotFile

settings = own_settings()
app = make_app(settings.broker_url)
app.conf.include = ["workers.process.tasks"]
order = {"queue_order_strategy": "workers.process.intake:Preference"}
app.conf.broker_transport_options = {**app.conf.broker_transport_options, **order}


class KeepLeases(bootsteps.StartStopStep):  # type: ignore[misc]
    """Starts the lease keeper with the worker, and lets it go on until the pool has stopped."""

    requires = {"celery.worker.components:Hub"}

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._slot = SlotFile(settings.slot_folder)
        self._keeper = LeaseKeeper(settings)
        signals.worker_shutting_down.connect(self._hand_back)
        signals.worker_shutdown.connect(self._finish)

    def start(self, parent: Any) -> None:
        """Begin to renew."""
        self._keeper.start()

    def _hand_back(self, **_: Any) -> None:
        self._slot.ask_to_stop()
        self._keeper.drain()

    def _finish(self, **_: Any) -> None:
        self._keeper.finish()


@signals.after_setup_logger.connect
def _plainly(logger: logging.Logger, **_: Any) -> None:
    """Have both processes write as the supervisor does, and the pool, which has a logger of its own."""
    for one in filter(None, (logger, get_multiprocessing_logger())):
        for handler in one.handlers:
            handler.setFormatter(PlainLines(settings.hostname))


logging.getLogger("celery.worker.consumer.consumer").addFilter(Seldom())
app.steps["worker"].add(KeepLeases)
app.steps["consumer"].add(TakeWhenReady)

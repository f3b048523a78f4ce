"""A run's way to Redis: the client, who owns the run there, what is published, and whether the broker is away."""

from __future__ import annotations

import logging

import redis
from kombu.exceptions import OperationalError

from shared import names
from shared.broker import OLDEST, will_pass
from shared.config.secrets import hide
from shared.errors import RunFailedError
from shared.ids import RunId
from supervisor.run.owner import Owner
from supervisor.run.publisher import Publisher

log = logging.getLogger(__name__)

AWAY = (redis.RedisError, OperationalError)  # what is raised by all that needs the broker
TRY_AGAIN_S = 0.5  # between two looks for a broker that is away


class Broker:
    """Whether the broker is away is known here, and nowhere else: who meets its absence or its answer says so."""

    def __init__(self, client: redis.Redis, owner: Owner, publisher: Publisher, run_id: RunId) -> None:
        self.client = client
        self.owner = owner
        self.publisher = publisher
        self.run_id = run_id
        self.is_away = False
        self.reconnects = 0  # how often it came back

    def lost(self, error: Exception) -> None:
        """It did not answer, or takes nothing. Raises RunFailedError for what no waiting mends."""
        if isinstance(error, redis.RedisError) and not will_pass(error):
            raise RunFailedError(
                f"broker.url: Redis refuses what a run asks of it ({hide(str(error))}). It must be of version "
                f"{OLDEST} or later and let its user do all with keys of any name; then --resume."
            ) from error
        if not self.is_away:
            log.warning("! the broker is away (%s); the run waits and goes on when it is back", hide(str(error)))
        self.is_away = True

    def answered(self) -> bool:
        """It answered; whether it had been away."""
        came_back, self.is_away = self.is_away, False
        if came_back:
            self.reconnects += 1
            log.info("the broker is back")
        return came_back

    def confirm(self) -> None:
        """See that the run is still this supervisor's, before something is heard or said.

        Raises redis.RedisError, and RunTakenError if another has the run.
        """
        self.owner.confirm()
        if self.is_away:
            knock(self.client, self.run_id)
            self.owner.renew()


def knock(client: redis.Redis, run_id: RunId) -> None:
    """Write something. Raises redis.RedisError also if Redis answers but takes nothing: a full memory or disk."""
    client.set(names.probe_key(run_id), "", px=1000)

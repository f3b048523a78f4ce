"""Whether leases may be judged by Redis's clock now: it may have been set, and all of us may have stood still."""

from __future__ import annotations

from collections.abc import Callable

import redis

_DOUBT = 0.5  # of a lease: workers renew five times a lease, so a smaller step ends none that is renewed
_TRUSTED_LEASES = 3.0  # however often it happens, in between something must be judged


class Clocks:
    """Compares Redis's clock with ours, which nobody sets, from look to look."""

    def __init__(self, client: redis.Redis, lease_s: float, clock_s: Callable[[], float]) -> None:
        self._client, self._lease_s, self._clock_s = client, lease_s, clock_s
        self._seen: tuple[float, float] | None = None  # our time and Redis's at the last look
        self._trusted_until_s = 0.0

    def are_in_doubt(self) -> bool:
        """Whether since the last look Redis's clock went ahead of ours, or nobody looked, for half a lease or more.

        Workers that are well renew at once, if they are given a lease for it. Raises redis.RedisError.
        """
        seconds, microseconds = self._client.time()
        before, now_s = self._seen, self._clock_s()
        self._seen = (now_s, seconds + microseconds / 1e6)
        if before is None or now_s < self._trusted_until_s:
            return False
        ours_s, redis_s = self._seen[0] - before[0], self._seen[1] - before[1]
        if max(ours_s, redis_s - ours_s) < _DOUBT * self._lease_s:
            return False
        self._trusted_until_s = now_s + _TRUSTED_LEASES * self._lease_s
        return True

"""A real Redis's clock, beside one of ours that the tests turn."""

from __future__ import annotations

import redis

from supervisor.run.watch.clocks import Clocks

LEASE_S = 0.2


class Ours:
    """Our clock."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def read(self) -> float:
        """What it says."""
        return self.now_s


def wait_for_redis(client: redis.Redis, seconds: float) -> None:
    """Return when Redis's clock has gone on by so much."""
    start = client.time()
    while (now := client.time())[0] - start[0] + (now[1] - start[1]) / 1e6 < seconds:
        pass


def test_a_clock_of_redis_that_goes_ahead_is_doubted_once(client: redis.Redis) -> None:
    """Ours stood still meanwhile. If it happens again at once, leases are judged all the same."""
    ours = Ours()
    clocks = Clocks(client, LEASE_S, ours.read)
    assert not clocks.are_in_doubt()
    wait_for_redis(client, LEASE_S)
    assert clocks.are_in_doubt()
    wait_for_redis(client, LEASE_S)
    assert not clocks.are_in_doubt()
    ours.now_s += 4 * LEASE_S
    assert clocks.are_in_doubt()


def test_leases_are_doubted_after_nobody_looked(client: redis.Redis) -> None:
    """Machine and workers stood still with us, such as in a sleep."""
    ours = Ours()
    clocks = Clocks(client, LEASE_S, ours.read)
    clocks.are_in_doubt()
    ours.now_s += LEASE_S
    assert clocks.are_in_doubt()


def test_clocks_that_go_alike_are_believed(client: redis.Redis) -> None:
    """However often they are looked at."""
    ours = Ours()
    clocks = Clocks(client, 60.0, ours.read)
    for _ in range(10):
        ours.now_s += 0.5
        assert not clocks.are_in_doubt()

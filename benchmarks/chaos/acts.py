"""What faults have in common: a signal to one of some processes, a command to a scene's Redis."""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random

import psutil
import redis

from benchmarks.chaos.scene import Scene


def signal_one(processes: list[psutil.Process], random: Random, number: int) -> bool:
    """Whether there was one to send it to."""
    if not processes:
        return False
    one = random.choice(sorted(processes, key=lambda process: process.pid))
    try:
        os.kill(one.pid, number)
    except ProcessLookupError:
        return False
    return True


def on_redis(scene: Scene, act: Callable[[redis.Redis], object]) -> bool:
    """Whether it answered."""
    client = scene.client()
    if client is None:
        return False
    try:
        act(client)
    except redis.RedisError:
        return False
    return True

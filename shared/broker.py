"""The two ways to Redis: a Celery application for tasks, a client for claims, reports and the registry."""

from __future__ import annotations

import re
from typing import Any

import redis
from celery import Celery
from redis.backoff import NoBackoff
from redis.retry import Retry

import celeryconfig  # noqa: F401 - Celery looks in the current folder first, but not for what is there already

# Redis says so in front of an error, or, of what a script asked for, in the middle of one.
_PASSING = re.compile(r"(?:^|-)(?:BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MISCONF|NOREPLICAS|OOM|READONLY|TRYAGAIN)\b")
_PASSING_BY_NAME = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.OutOfMemoryError,
    redis.ReadOnlyError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.TryAgainError,
)


OLDEST = "6.2"  # the first Redis that has every command we use; Valkey has them all


def will_pass(error: redis.RedisError) -> bool:
    """Whether the broker is away, full or busy, which ends; else what was asked of it is a mistake, however often."""
    return isinstance(error, _PASSING_BY_NAME) or _PASSING.search(str(error)) is not None


def make_app(broker_url: str) -> Celery:
    """The Celery application on this broker, with the settings of celeryconfig.py."""
    app = Celery("modyn", broker=celery_url(broker_url), backend=celery_url(broker_url), set_as_current=True)
    app.config_from_object("celeryconfig")  # by name: a module cannot be pickled into a worker's child
    return app


def celery_url(broker_url: str) -> str:
    """Kombu's spelling of a Redis URL: a unix socket is `redis+socket://`; with TLS it has to be told what redis-py
    does by itself, which is to see whose certificate it is.
    """
    url = broker_url.replace("unix://", "redis+socket://", 1)
    if not url.startswith("rediss://") or "ssl_cert_reqs=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}ssl_cert_reqs=required"


def connect(broker_url: str, *, timeout_s: float = 5.0) -> redis.Redis:
    """A client that fails within `timeout_s`; redis-py's own retries would turn seconds into a quarter minute."""
    url = broker_url.replace("redis+socket://", "unix://", 1)
    options: dict[str, Any] = {"retry": Retry(NoBackoff(), 0), "decode_responses": True}
    return redis.Redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, **options)

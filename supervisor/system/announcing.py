"""The way to the Redis on which producers announce new data: the broker, or the one that config.yaml names for it."""

from __future__ import annotations

import redis

from shared.broker import connect
from shared.config.secrets import hide, hide_password
from shared.config.system import Notification
from shared.errors import NotReadyError


def connect_to_announcements(notification: Notification, broker_url: str) -> redis.Redis:
    """A client, whether or not anybody answers. Raises NotReadyError for what is no URL."""
    url = notification.url or broker_url
    try:
        return connect(url)
    except ValueError:  # what it says may hold a part of the password
        raise NotReadyError(
            f"notification.url: {hide(hide_password(url))} is no URL of a Redis; write one such as "
            "redis://:${PASSWORD}@host:6379/0."
        ) from None


def wrong_with_announcements(notification: Notification, broker_url: str) -> list[str]:
    """Why they could not be heard now. It is no hindrance: a run looks for new data by itself meanwhile."""
    if notification.mode == "pull":
        return []
    with connect_to_announcements(notification, broker_url) as client:
        try:
            client.ping()
        except redis.RedisError as error:
            told = f"{hide(hide_password(notification.url or broker_url))} does not answer ({hide(str(error))})"
            meanwhile = f"a run looks for new data every {notification.every_s:g} s meanwhile"
            return [f"notification.url: {told}; start Redis there: {meanwhile}"]
    return []

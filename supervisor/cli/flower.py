"""`flower`: Flower on the broker of config.yaml: every task and worker on a page, for those who have the password."""

from __future__ import annotations

import argparse
import logging
import os
import secrets

from rich.console import Console

from shared.addresses import Address
from shared.config.load import load_system
from shared.config.system import System
from shared.errors import ConfigurationError
from supervisor.system.embedded_broker import has_ended
from supervisor.system.readiness import broker_in_words, reach_running_broker

_CREDENTIALS = "FLOWER_BASIC_AUTH"  # Flower's own name for it
_USER = "modyn"


def run(arguments: argparse.Namespace) -> int:
    """Serve until it is stopped, or the embedded broker ends with its supervisor.

    Raises ConfigurationError, or NotReadyError if there is no broker or the address is taken.
    """
    from supervisor.system.flower_server import FlowerServer, InOneSentence  # noqa: PLC0415 - takes a second

    host, port = parse_address(arguments.listen)
    given = os.environ.get(_CREDENTIALS, "")
    made = "" if given else ":".join((_USER, secrets.token_urlsafe(12)))
    credentials = parse_credentials(given or made)
    system = load_system(arguments.config)
    client, url = reach_running_broker(system)
    client.close()
    _hush()
    if not arguments.debug:
        logging.getLogger("tornado.application").addFilter(InOneSentence())
    server = FlowerServer(url, credentials)
    port = server.listen_at(host, port)
    say = Console(stderr=True, markup=False, highlight=False, soft_wrap=True).print
    broker = broker_in_words(system, url)
    say(f"Flower shows the tasks and workers of {broker} at http://{Address(host, port)}. Ctrl+C ends it.")
    if made:
        user, password = made.split(":")
        say(
            f"Log in as {user} with the password {password}, which was made for this start; to have one that stays "
            f"export {_CREDENTIALS}=user:password."
        )
    shown = _Shown(system, url)
    server.serve(shown.is_there)
    if not shown.is_there():
        say("Flower ends: the supervisor whose broker this was has ended.")
    os._exit(0)  # a thread that waits for a broker that is away is not waited for


class _Shown:
    """The broker that is shown. The supervisor of an embedded one may start it again: it must be missed twice."""

    def __init__(self, system: System, url: str) -> None:
        self._system, self._url, self._missed = system, url, 0

    def is_there(self) -> bool:
        """Look again, for one that ends with its supervisor."""
        if self._system.broker.url != "embedded":
            return True
        self._missed = self._missed + 1 if has_ended(self._system.artifacts_root, self._url) else 0
        return self._missed < 2


def parse_address(text: str) -> Address:
    """Host and port of `127.0.0.1:5555` or `[::1]:5555`. Raises ConfigurationError."""
    try:
        return Address.of(text)
    except ValueError:
        raise ConfigurationError(
            f"--listen {text} is no address; write host:port, such as 127.0.0.1:5555, or [::1]:5555."
        ) from None


def parse_credentials(text: str) -> list[str]:
    """Each `user:password` of a list that commas part. Raises ConfigurationError, which tells no password."""
    several = text.split(",")
    if not all(user and password for user, _, password in (one.partition(":") for one in several)):
        raise ConfigurationError(f"{_CREDENTIALS} must be user:password, or several of these with commas between them.")
    if not text.isascii():
        raise ConfigurationError(
            f"{_CREDENTIALS} has letters that are not ASCII, which browsers spell in several ways."
        )
    return several


def _hush() -> None:
    """Flower warns whenever nobody answers, as where no worker is; and each browser's first request has no password."""
    logging.getLogger("flower.inspector").setLevel(logging.ERROR)
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)

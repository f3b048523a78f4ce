"""Tells webhooks of what somebody should look at: a failed trigger or run, a stalled run, a fleet that is gone."""

from __future__ import annotations

import json
import logging
import threading
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from queue import Queue
from typing import Any

from shared.config.secrets import hide
from shared.config.system import Alert
from shared.timestamps import format_timestamp, now_us

log = logging.getLogger(__name__)

_TIMEOUT_S = 5.0
_LAST_WORDS_S = 6.0  # at the end of a run, for what is still to be told
_OVER = {
    "run_stalled": "the run goes on",
    "no_workers": "workers are there again",
}


class Webhooks:
    """Sends from a thread of its own, so that a slow receiver never holds the run up. Each condition is told once."""

    def __init__(self, hooks: Sequence[Alert], about: dict[str, Any]) -> None:
        self._hooks = hooks
        self._about = about
        self._standing: set[str] = set()
        self._queue: Queue[dict[str, Any] | None] = Queue()
        self._thread = threading.Thread(target=self._send_all, name="alerts", daemon=True)
        if hooks:
            self._thread.start()

    def tell(self, event: str, sentence: str, **facts: Any) -> None:
        """Send one alert."""
        if self._hooks:
            told = {"event": event, "sentence": hide(sentence), "time": format_timestamp(now_us())}
            self._queue.put({**self._about, **told, **facts})

    def while_true(self, event: str, holds: bool, sentence: str) -> None:
        """Send an alert when a condition begins to hold; again only after it had ceased."""
        if holds and event not in self._standing:
            self._standing.add(event)
            log.warning("! %s", sentence)
            self.tell(event, sentence)
        elif not holds and event in self._standing:
            self._standing.discard(event)
            log.info("over: %s", _OVER[event])
            self.tell(f"{event}_over", _OVER[event])

    def close(self) -> None:
        """Let what is still to be told go out."""
        if self._hooks:
            self._queue.put(None)
            self._thread.join(_LAST_WORDS_S)

    def _send_all(self) -> None:
        while True:
            alert = self._queue.get()
            if alert is None:
                return
            for hook in self._hooks:
                _post(hook.url, alert)


def _post(url: str, alert: dict[str, Any]) -> None:
    request = urllib.request.Request(
        url, json.dumps(alert).encode(), {"Content-Type": "application/json", "User-Agent": "modyn-supervisor"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
            return
    except (OSError, ValueError, HTTPException) as error:
        log.warning("! the alert %s did not reach %s: %s", alert["event"], hide(url), hide(str(error)))

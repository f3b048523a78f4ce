"""What is told while a back-test goes on: a few words at a time, and not too often."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from threading import Lock

from shared.words import counted

Progress = Callable[[str], None]  # is told how far it is

_TELL_EVERY = 10  # so many times while something goes on
_PAUSE_S = 1.0  # between two times
_SILENT_S = 15.0  # after so long without a word what is being fitted is told of


def telling(progress: Progress, noun: str, verb: str, *, pause_s: float = _PAUSE_S) -> Callable[[int, int], None]:
    """Tells now and then how many of so many are done: a tenth more, `pause_s` after the time before; and the last."""
    told, next_s = -1, -math.inf

    def tell(done: int, of: int) -> None:
        nonlocal told, next_s
        tenth, now_s = done * _TELL_EVERY // of, time.monotonic()
        if (tenth > told and now_s >= next_s) or done == of:
            told, next_s = -1 if done == of else tenth, now_s + pause_s  # others may follow
            progress(f"{done:,} of {counted(of, noun)} {verb}")

    return tell


class OfPolicies:
    """Tells of each policy that is done, from any thread."""

    def __init__(self, progress: Progress, of: int, verb: str, *, silent_s: float = _SILENT_S) -> None:
        """`verb`: what is done with them; `silent_s`: after so long without a word `replayed` says one."""
        self._progress, self._verb, self._lock = progress, verb, Lock()
        self._policies = "1 policy" if of == 1 else f"{of:,} policies"
        self._left, self._done, self._replays = of, 0, 0
        self._silent_s, self._told_s = silent_s, time.monotonic()

    def done(self, name: str, more: str = "") -> None:
        """This one is; `more`: what else there is to say of it."""
        with self._lock:
            self._done, self._left = self._done + 1, self._left - 1
            self._tell(f"{self._done:,} of {self._policies} {self._verb}: {name}{more}")

    def replayed(self) -> None:
        """One of many replays has ended that a policy takes."""
        with self._lock:
            self._replays += 1
            if time.monotonic() >= self._told_s + self._silent_s:
                going = "1 policy is" if self._left == 1 else f"{self._left:,} policies are"
                self._tell(f"{counted(self._replays, 'replay')} so far; {going} not {self._verb} yet")

    def _tell(self, words: str) -> None:
        self._told_s = time.monotonic()
        self._progress(words)

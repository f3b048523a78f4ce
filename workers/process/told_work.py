"""What a worker says of its tasks: lines for what lasts or fails, and one a minute for a flood of short ones."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence

from workers.process.diary import Note

_A_MINUTE_S = 60.0
_SINGLY = 4  # tasks a minute that have lines of their own
_LASTS_S = 5.0  # a task that has lasted so long has them in any case
_NOUNS = {
    "select": ("selection", "selections"),
    "train": ("training", "trainings"),
    "gather": ("model put together", "models put together"),
    "evaluate": ("evaluation", "evaluations"),
    "baseline": ("baseline", "baselines"),
    "decide": ("decision", "decisions"),
    "detect": ("look for the trigger policy", "looks for the trigger policy"),
    "check": ("check", "checks"),
}


class ToldWork:
    """Is given notes as they come, and asked now and then for what is to be said."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._singly_s: deque[float] = deque()  # when tasks were told singly, in the last minute
        self._counts: Counter[str] = Counter()  # of tasks that were not
        self._counting_since_s = 0.0
        self._at: Note | None = None  # the task that the worker is at
        self._at_since_s, self._at_told = 0.0, False

    def lines(self, notes: Sequence[Note]) -> Iterator[str]:
        """What is to be said by now."""
        now_s = self._clock_s()
        for note in notes:
            yield from self._begins(note, now_s) if note.outcome is None else self._ends(note, now_s)
        if self._at is not None and not self._at_told and now_s - self._at_since_s >= _LASTS_S:
            self._at_told = True
            yield f"→ {_name(self._at)}"
        if self._counts and now_s - self._counting_since_s >= _A_MINUTE_S:
            yield from self.rest()

    def rest(self) -> Iterator[str]:
        """What was counted and not told yet."""
        if self._counts:
            told = ", ".join(f"{count:,} {_noun(kind, count)}" for kind, count in sorted(self._counts.items()))
            yield f"  in the last minute: {told}"
        self._counts.clear()

    def _begins(self, note: Note, now_s: float) -> Iterator[str]:
        self._at, self._at_since_s = note, now_s
        while self._singly_s and now_s - self._singly_s[0] >= _A_MINUTE_S:
            self._singly_s.popleft()
        self._at_told = len(self._singly_s) < _SINGLY and not self._counts
        if self._at_told:
            self._singly_s.append(now_s)
            yield f"→ {_name(note)}"

    def _ends(self, note: Note, now_s: float) -> Iterator[str]:
        told, self._at = self._at_told, None
        if told or note.outcome != "done":
            yield _end(note)
            return
        if not self._counts:
            self._counting_since_s = now_s
        self._counts[note.kind] += 1


def _end(note: Note) -> str:
    took = f"{_name(note)} {{}} after {note.took_s:.1f} s"
    match note.outcome:
        case "done":
            return f"← {_name(note)} is done in {note.took_s:.1f} s"
        case "failed":
            return f"! {took.format('failed')}: {note.sentence}"
        case "released":
            return f"← {took.format('is handed back')}"
        case _:
            return f"! {took.format('counts no more')}: it was published again meanwhile"


def _name(note: Note) -> str:
    of_trigger = "" if note.kind == "check" else f" {note.trigger}"
    return f"{note.kind}{of_trigger} of {note.pipeline}"


def _noun(kind: str, count: int) -> str:
    one, several = _NOUNS.get(kind, (kind, kind))
    return one if count == 1 else several

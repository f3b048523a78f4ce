"""Stretches of rows that models are scored on."""

from __future__ import annotations

from shared.config.pipeline import Window
from shared.messages.tasks import Stretch
from supervisor.core.state import RunState


def rows_of(window: Window, first_key: int, last_key: int, event_time_us: int | None = None) -> Stretch:
    """All rows from one to another; `event_time_us`: before the first of them."""
    return Stretch(
        window=window.name,
        slice="",
        first_key=first_key,
        last_key=last_key,
        after_us=None,
        event_time_us=event_time_us,
    )


def until_next_trigger(state: RunState, index: int, end: int) -> tuple[Stretch, ...]:
    """The rows that a trigger's model met while it was the newest, up to `end`: one for each window of that kind."""
    fired = state.trigger(index).fired
    return tuple(rows_of(one, fired.key + 1, end, fired.timestamp_us) for one in state.settings.prequential)

"""Labels that come later than their rows: which of them a task may read, and whether a window still waits for some."""

from __future__ import annotations

from shared.labels.as_of import FINAL, AsOf
from shared.messages.tasks import KeyRange, Watermarks
from supervisor.core.seen import Asked, Fired
from supervisor.core.state import RunState


def watermarks(fired: Fired, released: tuple[KeyRange, ...] = ()) -> Watermarks:
    """How far a trigger sees; `released`: rows that it had to leave out, and others do not."""
    return Watermarks(key=fired.key, labelled_key=fired.labelled_key, released=released)


def known_at(fired: Fired | Asked) -> AsOf | None:
    """As of when what belongs to a trigger, or a question, reads labels, so that it uses none that nobody knew.

    None: they stand in their rows, and up to the labelled key all are known.
    """
    if fired.labels is None or fired.labels.position is None:
        return None
    return AsOf(event_time_us=fired.timestamp_us, position=fired.labels.position)


def final(state: RunState) -> AsOf | None:
    """As of when windows that close behind a trigger read labels: in an experiment the truth, else as known now."""
    if state.settings.labels != "in_table":
        return None
    if state.experiment:
        return FINAL
    now_us = None if state.stream.ended else state.stream.event_time_us  # at the end nothing is waited for
    return AsOf(event_time_us=now_us, position=state.stream.labels_position)


def is_settled(state: RunState, last_key: int) -> bool:
    """Whether all labels up to a row are known, or given up."""
    at_once = state.settings.labels == "with_rows" or state.experiment or state.stream.ended
    return at_once or last_key <= state.stream.settled_key

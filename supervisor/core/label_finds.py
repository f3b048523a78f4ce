"""When rows of the table of labels were found: what a resume must know to say which labels were known at which row."""

from __future__ import annotations

from supervisor.core.events import LabelsDiscovered
from supervisor.core.state import RunState
from supervisor.core.stream import LabelFind


def labels_found(event: LabelsDiscovered, state: RunState) -> RunState:
    """This state with more of the labels found; finds before the same row are one."""
    if not event.entries:
        return state
    finds = state.stream.label_finds
    last = finds.get(len(finds) - 1)
    number = len(finds) - 1 if last is not None and last.from_key == event.from_key else len(finds)
    return state.with_stream(label_finds=finds.set(number, LabelFind(event.entries[-1].stop_key, event.from_key)))


def labels_known_of(state: RunState) -> int:
    """How many rows of the table of labels were found so far."""
    finds = state.stream.label_finds
    return finds[len(finds) - 1].stop_position if finds else 0

"""The names of classes, where labels are texts or names are listed: what each training set knows of them."""

from __future__ import annotations

from shared.class_names import ClassNames
from shared.ids import parts_of
from shared.messages.reports import Selected
from supervisor.core.state import RunState


def with_classes(state: RunState, selected: Selected) -> RunState:
    """This state, with what a selection has found. One that is made anew finds what is known."""
    if selected.classes is None:
        return state
    known = (*(state.classes or ())[: selected.classes.before], *selected.classes.names)
    state = state.with_trigger(parts_of(selected.task_id).trigger_id, classes=len(known))
    return state if state.classes is not None and len(known) <= len(state.classes) else state.but(classes=known)


def classes_of(state: RunState, index: int) -> tuple[str, ...] | None:
    """Those that the training set of a trigger knows; None where classes have no names."""
    known = state.trigger(index).classes
    return None if known is None or state.classes is None else state.classes[:known]


def classes_known(state: RunState, index: int) -> ClassNames | None:
    """Those of the last trigger up to this one whose training set is written. O(triggers in between)."""
    if state.classes is None:
        return None
    while index >= 0 and (state.trigger(index).classes is None or state.trigger(index).fired.labelled_key is None):
        index -= 1
    if index < 0:
        return None
    return ClassNames(names=classes_of(state, index) or (), until=state.trigger(index).fired.labelled_key)

"""A run in which no row has found a label says so at its end; one label is enough that it does not."""

from __future__ import annotations

import msgspec
import pytest

from shared.ids import RunId, TriggerId
from supervisor.core.events import Ended, Observed, RunStarted
from supervisor.core.notices import NeverLabelled
from supervisor.core.seen import Fired, LabelsKnown, Settled
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition

SETTINGS = Settings(
    use_previous_model=True, members=1, max_in_flight=1, coalesce=False, continue_on_failure=False, earlier_triggers=1,
    deploys=False, gate_window=None, prequential=(), gated=(), newest=None, attempts=1, models_kept=None,
    labels="in_table",
)  # fmt: skip


@pytest.mark.parametrize(
    ("unlabelled", "labels", "told"), [(10, "in_table", [10]), (9, "in_table", []), (0, "with_rows", [])]
)
def test_only_where_none_has_any(unlabelled, labels, told):
    """Of ten rows, behind one trigger."""
    began = RunStarted(
        time_us=0, run_id=RunId("run"), mode="experiment", first_key=0, stop_key=10, maximum_triggers=None
    )
    known = LabelsKnown(key=None, event_time_us=None, position=5)
    fired = Fired(id=TriggerId(0), key=9, timestamp_us=9, reason="", labels=known)
    settled = Settled(key=-1, position=5, unlabelled=unlabelled)
    seen = Observed(time_us=0, key=9, event_time_us=9, triggers=(fired,), settled=settled)
    state = RunState(settings=msgspec.structs.replace(SETTINGS, labels=labels))
    for event in (began, seen):
        state, _, _ = transition(state, event)
    _, _, notices = transition(state, Ended(time_us=0, status="finished", reason=""))
    assert [one.rows for one in notices if isinstance(one, NeverLabelled)] == told

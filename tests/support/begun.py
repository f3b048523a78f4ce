"""A run that has begun, for an observer whose policy asks nothing of it."""

from __future__ import annotations

from supervisor.core.settings import Settings
from supervisor.core.state import RunState

BEGUN = RunState(
    settings=Settings(
        use_previous_model=True, members=1, max_in_flight=1, coalesce=False, continue_on_failure=False,
        earlier_triggers=1, deploys=False, gate_window=None, prequential=(), gated=(), newest=None, attempts=1,
        models_kept=None,
    )
)  # fmt: skip

"""What a rule of the core gives: the next state, and in order what is to be done and what is to be told."""

from __future__ import annotations

from supervisor.core.commands import AnyCommand
from supervisor.core.notices import AnyNotice
from supervisor.core.state import RunState

Effect = AnyCommand | AnyNotice
Step = tuple[RunState, list[Effect]]

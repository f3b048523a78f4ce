"""A run of which windows are scored anew: what it left behind of itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shared.messages.setup_record import SetupRecord
from supervisor.core.state import RunState


class RunToScore(NamedTuple):
    """What is to be known of it."""

    record: SetupRecord
    state: RunState  # as its journal tells it
    folder: Path  # the run directory
    code: Mapping[str, str] | None  # of the user's modules, as its last session found them: file → SHA-256

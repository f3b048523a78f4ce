"""What long work calls every so often, so that it is known to go on, and what ends it before it is done."""

from __future__ import annotations

from collections.abc import Callable

GoOn = Callable[[], None]  # costs a microsecond; raises Interrupted when the work is to be handed back


class Interrupted(Exception):  # noqa: N818 - being asked to stop is no error
    """The work was asked to stop. A training leaves a checkpoint, and the same job goes on from there."""


def unheard() -> None:
    """Nobody waits."""

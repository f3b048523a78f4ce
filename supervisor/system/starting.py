"""What a run starts itself, and what it uses that is there, in words."""

from __future__ import annotations

from shared.config.system import System
from supervisor.system.embedded_broker import find_broker


def what_is_started(system: System, *, workers: bool = True) -> str:
    """A part of a sentence, for the log. `workers`: those that config.yaml asks for are started, too."""
    counts = (("train", system.fleet.train), ("evaluate", system.fleet.evaluate))
    own = [f"{count} {role} worker{'s' * (count > 1)}" for role, count in counts if count and workers]
    broker = f"the broker {system.broker.masked_url}"
    if system.broker.url == "embedded":
        broker = "the embedded broker"
        if find_broker(system.artifacts_root) is None:
            return f"starting {_listed([broker, *own])}"
        broker += " that runs already"
    return f"starting {_listed(own)} on {broker}" if own else f"looking for {broker} and its workers"


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))

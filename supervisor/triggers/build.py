"""The policy that a `trigger:` block names, and around it the guards that the block names, the innermost first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.config.pipeline import Trigger
from shared.plugins import GUARDS, TRIGGERS
from supervisor.triggers.policy import StreamStart, TriggerPolicy


def policy_of(trigger: Trigger | Mapping[str, Any], start: StreamStart) -> TriggerPolicy:
    """`trigger`: the block, or what the schema's `TriggerBlock` makes of one that stands in an option.

    Raises ConfigurationError if what it names cannot be used.
    """
    block = trigger if isinstance(trigger, Trigger) else msgspec.convert(trigger, Trigger)
    kind: type[TriggerPolicy] = TRIGGERS[block.name]
    options = {**block.options, "price": block.price} if kind.weighs_costs else block.options
    policy = kind(options, start)
    for name in GUARDS:
        if name in block.guards:
            policy = GUARDS[name](block.guards[name], policy, start)
    return policy

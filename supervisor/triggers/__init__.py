"""When to retrain: the trigger policies, by the name that pipeline.yaml gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.config.pipeline import DataAmountTrigger, TimeTrigger
from shared.timestamps import MICROSECONDS_PER_S
from supervisor.triggers.data_amount import DataAmount
from supervisor.triggers.policy import StreamStart, TriggerPolicy
from supervisor.triggers.time import Time

_TRIGGERS: dict[type, Callable[[Any, StreamStart], TriggerPolicy]] = {
    DataAmountTrigger: lambda settings, start: DataAmount(settings.every, start),
    TimeTrigger: lambda settings, start: Time(round(settings.every_s * MICROSECONDS_PER_S), settings.anchor_us, start),
}


def make_policy(settings: DataAmountTrigger | TimeTrigger, start: StreamStart) -> TriggerPolicy:
    """The policy that `trigger:` names, for a stream that starts there."""
    return _TRIGGERS[type(settings)](settings, start)

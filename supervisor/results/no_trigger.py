"""Why a run that is over has trained nothing: a table of dashes alone would not say it."""

from __future__ import annotations

import msgspec

from shared.config.pipeline import Pipeline
from shared.config.resolved import as_written
from shared.config.schema.pipeline import PipelineSchema
from shared.timestamps import format_timestamp
from supervisor.core.state import RunState


def why_no_trigger(state: RunState, pipeline: Pipeline) -> str | None:
    """What the policy asked for and what the stream had; None for a run that has triggers, or is not over."""
    if state.status != "finished" or state.triggers:
        return None
    options = as_written(PipelineSchema().fields["trigger"], msgspec.to_builtins(pipeline.trigger))
    asked = ", ".join(f"{key}: {value}" for key, value in options.items())
    rows, last_us = state.stream.observed_key - state.first_usable_key + 1, state.stream.event_time_us
    until = "" if last_us is None else f", whose event time ends at {format_timestamp(last_us)}"
    remedy = "lower `every`" if "every" in options else "change its options"
    return f"no trigger fired, so nothing was trained: trigger {{{asked}}} saw {rows:,} rows{until}; {remedy}."

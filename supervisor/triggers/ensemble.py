"""Trigger when enough of several policies want to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.config import fields as f
from shared.config.schema.trigger import objections_of
from supervisor.triggers.build import policy_of
from supervisor.triggers.looks.span import Span, SpanField
from supervisor.triggers.policy import StreamStart
from supervisor.triggers.rules.votes import Votes, refuse_too_many
from supervisor.triggers.together.members import Members
from supervisor.triggers.together.voting import Voting


class Ensemble(Voting):
    """When enough of several policies want to."""

    class Schema(f.Group):
        """Its options."""

        policies = Members("those that vote, as a list, or by names of your own", required=True)
        combine = Votes("how many votes must stand", load_default="any")
        within = SpanField("rows or event time for which a vote stands; else until the next trigger", load_default=None)

        @f.validates_schema
        def _enough(self, data: dict[str, Any], **_: Any) -> None:
            refuse_too_many(data["combine"], len(data["policies"]))

    @classmethod
    def objections(cls, options: Mapping[str, Any], pipeline: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Those of all that vote."""
        for name, block in options["policies"].items():
            for key, sentence in objections_of(block, pipeline):
                yield f"policies.{name}.{key}", sentence

    def __init__(self, options: Mapping[str, Any], start: StreamStart) -> None:
        policies = {name: policy_of(block, start) for name, block in options["policies"].items()}
        within = None if options["within"] is None else Span(options["within"])
        super().__init__(policies, options["combine"], within, start.trained_key)

"""Strategies that choose within the training: the set is all rows, and a rule says what each epoch learns from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f
from shared.strategies.common import From, Limited, Seeded, SelectsFrom, limited, seed_of
from shared.strategies.strategy import CurrentModel, Pieces, Request, State, unweighted
from shared.training_rule import TrainingRule

_OTHERS = "use strategy new_data or all_data"


class _Ruled(SelectsFrom):
    """The rows since the previous trigger, or all, or `limit` of them; the rule goes by options of the same names."""

    forgets_triggers = True

    class Schema(From, Limited, Seeded):
        """Its options."""

    name: str
    of_the_rule: tuple[str, ...]  # options

    def select(self, request: Request, state: State, model: CurrentModel | None) -> tuple[Pieces, State]:
        """All that the training may learn from."""
        return unweighted(limited(lambda: self._rows(request), self._options, request)), state

    def rule(self, request: Request) -> TrainingRule | None:
        """With a seed of the trigger's own."""
        options = {name: self._options[name] for name in self.of_the_rule}
        return TrainingRule(name=self.name, options=options | {"seed": seed_of(self._options, request)})


class RS2(_Ruled):
    """Each epoch learns from another random share of the rows: Okanovic et al. (ICLR 2024)."""

    name, of_the_rule = "rs2", ("share", "replacement")

    class Schema(_Ruled.Schema):
        """Its options."""

        share = f.PositiveNumber("the share of the rows that an epoch learns from, below 1", load_default=0.1)
        replacement = f.Truth("draw each epoch anew; else no row comes again before all have come", load_default=False)

        @f.validates_schema
        def _at_most_all(self, data: Mapping[str, Any], **kwargs: Any) -> None:
            share = data.get("share", 0)
            if share > 1:
                raise ValidationError({"share": [f"{share:g} is more than all; write a share, such as 0.1."]})
            if share == 1:
                told = f"1 is all rows in each epoch, as without rs2; write a share below 1, such as 0.1, or {_OTHERS}."
                raise ValidationError({"share": [told]})


class InfoBatch(_Ruled):
    """Rows of low loss are left out of an epoch at random, the rest re-weighted: Qin et al. (ICLR 2024)."""

    name, of_the_rule = "infobatch", ("left_out", "whole")

    class Schema(_Ruled.Schema):
        """Its options."""

        left_out = f.Number(
            "how likely a row of less than the mean loss is left out of an epoch", least=0, below=1, load_default=0.5
        )
        whole = f.Number(
            "the share of the epochs, the last ones, that learn from all rows", least=0, load_default=0.125
        )

        @f.validates_schema
        def _at_most_all(self, data: Mapping[str, Any], **kwargs: Any) -> None:
            whole = data.get("whole", 0)
            if whole > 1:
                raise ValidationError({"whole": [f"{whole:g} is more than all; write a share, such as 0.125."]})
            nothing = {"whole": whole == 1, "left_out": data.get("left_out") == 0}
            told = {"whole": "1 lets all epochs learn from all rows", "left_out": "0 leaves no row out"}
            remedies = {
                "whole": "write a share below 1, such as 0.125",
                "left_out": "write a share above 0, such as 0.5",
            }
            errors = {key: [f"{told[key]}; {remedies[key]}, or {_OTHERS}."] for key, is_so in nothing.items() if is_so}
            if errors:
                raise ValidationError(errors)

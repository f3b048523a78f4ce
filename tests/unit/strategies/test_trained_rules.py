"""Strategies that choose within the training: their sets are whole, and their rules say the rest."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from shared.plugins import STRATEGIES
from tests.unit.strategies.asked import asked, chosen, named


def rule(strategy, request):
    return STRATEGIES[strategy.name](strategy.options).rule(request)


@pytest.mark.parametrize("name", ["rs2", "infobatch"])
def test_sets_are_whole(name):
    """New rows, those of a tail, all of them, or as many as the limit allows; each of weight 1."""
    request = asked([2, 2, 1, 0, 0])
    assert chosen(named(name), request) == ([3, 4], [1, 1])
    assert chosen(named(name, tail=1), request) == ([2, 3, 4], [1, 1, 1])
    assert chosen(named(name, of="all"), request)[0] == [0, 1, 2, 3, 4]
    assert len(chosen(named(name, of="all", limit=3), request)[0]) == 3


def test_the_papers_defaults_are_the_rule():
    """A tenth of the rows without replacement; half of those of low loss, and all in the last eighth of the epochs."""
    rs2, infobatch = (rule(named(name), asked([0, 0])) for name in ("rs2", "infobatch"))
    assert (rs2.name, rs2.options | {"seed": 0}) == ("rs2", {"share": 0.1, "replacement": False, "seed": 0})
    assert (infobatch.name, infobatch.options | {"seed": 0}) == (
        "infobatch",
        {"left_out": 0.5, "whole": 0.125, "seed": 0},
    )


@pytest.mark.parametrize("name", ["rs2", "infobatch"])
def test_each_trigger_has_a_seed_of_its_own_that_follows_from_the_pipelines_or_the_strategys(name):
    def seed(trigger_key, of_pipeline=0, **options):
        return rule(named(name, **options), asked([0], seed=of_pipeline, trigger_key=trigger_key)).options["seed"]

    assert seed(5) == seed(5) != seed(6)
    assert seed(5) != seed(5, 1)
    assert seed(5, 0, seed=3) == seed(5, 1, seed=3)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("rs2", {"share": 1.5}, "1.5 is more than all"),
        ("rs2", {"share": 1}, "1 is all rows in each epoch, as without rs2; write a share below 1, such as 0.1"),
        ("infobatch", {"whole": 1}, "1 lets all epochs learn from all rows; write a share below 1"),
        ("infobatch", {"left_out": 0}, "0 leaves no row out; write a share above 0, such as 0.5, or use strategy"),
        ("rs2", {"share": 0}, "not a number above zero"),
        ("infobatch", {"left_out": 1}, "at least 0 and below 1"),
        ("infobatch", {"whole": 2}, "2 is more than all"),
        ("infobatch", {"tail": 1, "of": "all"}, "has no meaning"),
    ],
)
def test_what_cannot_be_is_refused(name, options, said):
    with pytest.raises(ValidationError, match=said):
        named(name, **options)

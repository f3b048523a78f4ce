"""Several verdicts become one as asked, and all of them are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigurationError
from supervisor.triggers.rules.combine import combined, votes_needed
from supervisor.triggers.rules.rule import UNDEFINED, Verdict


def verdicts(votes):
    """One for each."""
    return [(f"s{n}", Verdict(fires=vote, reason=f"{n} of it")) for n, vote in enumerate(votes)]


@given(votes=st.lists(st.booleans(), min_size=1, max_size=7), needed=st.integers(1, 7))
def test_votes_are_counted(votes, needed):
    """Any is one, all is all, a majority more than half, and at least n is n."""
    expected = {"any": any(votes), "all": all(votes), "majority": 2 * sum(votes) > len(votes)}
    assert {way: combined(verdicts(votes), way).fires for way in expected} == expected
    at_least = min(needed, len(votes))
    assert combined(verdicts(votes), {"at_least": at_least}).fires == (sum(votes) >= at_least)


def test_the_reason_tells_all():
    """Those that fired first; one alone speaks for itself."""
    verdict = combined(verdicts([False, True, False]), "majority")
    assert verdict.reason == "1 of 3 fired, 2 needed: s1 1 of it; s0 0 of it; s2 2 of it"
    assert combined(verdicts([True]), "all").reason == "s0 0 of it"


def test_undefined_ones_do_not_fire():
    """They count as voters; nothing is defined where all are not."""
    verdict = combined([("a", UNDEFINED), *verdicts([True])], "all")
    assert (verdict.fires, verdict.defined) == (False, True)
    assert not combined([("a", UNDEFINED)], "any").defined


@pytest.mark.parametrize("combine", ["most", {"at_least": 0}, {"at_least": 4}])
def test_what_cannot_be_is_told(combine):
    """In a sentence, with the value."""
    with pytest.raises(ConfigurationError, match="combine"):
        votes_needed(combine, 3)

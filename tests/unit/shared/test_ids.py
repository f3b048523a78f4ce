"""A task's id says its place in the run, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import STAGES, RunId, TriggerId, parts_of, task_id

run_ids = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1).map(RunId)
stages = st.sampled_from([*STAGES, "check"])
places = st.tuples(run_ids, st.integers(0, 10**9).map(TriggerId), stages, st.integers(0, 10**6))


@given(places)
def test_what_an_id_was_made_of_is_read_back(place):
    """Run, trigger, stage and number."""
    assert parts_of(task_id(*place)) == place


@given(places, places)
def test_two_places_never_share_an_id(one, other):
    """Equal ids are the same task, so that what is published again is known again."""
    assert (task_id(*one) == task_id(*other)) == (one == other)


def test_the_first_task_of_a_stage_has_number_0():
    """A stage with one task needs no number."""
    assert parts_of(task_id(RunId("run"), TriggerId(3), "select")) == ("run", 3, "select", 0)


@pytest.mark.parametrize("text", ["", "run/0/select", "run/zero/select/0", "run/0/select/0/1"])
def test_what_is_no_id_is_refused(text):
    """A name that `task_id` cannot have made raises."""
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        parts_of(text)

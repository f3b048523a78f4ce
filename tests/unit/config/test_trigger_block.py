"""`trigger:` holds a policy's options and guards around it; so does a block in another's option."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from shared.config.pipeline import Trigger
from shared.config.resolved import as_written
from shared.config.schema.trigger import TriggerBlock
from shared.plugins import GUARDS, TRIGGERS
from supervisor.triggers.build import policy_of
from supervisor.triggers.policy import StreamStart

BLOCK = TriggerBlock("when")
WRITTEN = {"policy": "time", "every": "7d", "by_day": True, "at_most": 3}


def test_options_and_guards_stand_beside_each_other():
    """Guards come in the order of their table, whatever that of the file; and all is written back as it was."""
    loaded = BLOCK.deserialize(WRITTEN)
    assert loaded == {
        "name": "time",
        "options": {"every_s": 7 * 86_400.0, "anchor_us": None},
        "guards": {"at_most": 3, "by_day": True},
        "price": None,
    }
    assert list(loaded["guards"]) == ["at_most", "by_day"]
    assert as_written(BLOCK, loaded) == WRITTEN


def test_the_policy_is_built_with_its_guards_around_it():
    """The first of the table is the innermost; a block of an option is built likewise."""
    start, loaded = StreamStart(first_key=0, event_time_us=0), BLOCK.deserialize(WRITTEN)
    for block in (loaded, Trigger(**loaded)):
        policy = policy_of(block, start)
        assert [type(one) for one in (policy, policy._inner, policy._inner._inner)] == [
            GUARDS["by_day"], GUARDS["at_most"], TRIGGERS["time"],
        ]  # fmt: skip
        assert policy.begin() == {"inner": {"fired": 0, "inner": {}}}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"at_most": 0}, {"at_most": ["0 is not a whole number of at least 1."]}),
        ({"at_most": None}, {"at_most": ["is empty; give a value or remove the key."]}),
        ({"at_mots": 3}, {"at_mots": ["is not a key here; did you mean at_most?"]}),
        ({"evry": "7d"}, {"evry": ["is not a key here; did you mean every?"]}),
        ({"every": 7, "by_day": 1}, {"every": None, "by_day": ["1 is neither true nor false."]}),
    ],
)
def test_what_is_wrong_is_told_at_its_key(change, told):
    """Of a guard, of the policy, and of both at once; hints know the keys of both."""
    with pytest.raises(ValidationError) as caught:
        BLOCK.deserialize({**WRITTEN, **change})
    assert caught.value.messages.keys() == told.keys()
    for key, sentences in told.items():
        assert sentences is None or caught.value.messages[key] == sentences


@pytest.mark.parametrize("name", ["price", *GUARDS])
def test_a_price_or_guard_that_says_nothing_is_refused(name):
    """Of each of them, as a change such as `--set trigger.budget=null` has it."""
    with pytest.raises(ValidationError) as caught:
        BLOCK.deserialize({"policy": "time", "every": "7d", name: None})
    assert caught.value.messages == {name: ["is empty; give a value or remove the key."]}

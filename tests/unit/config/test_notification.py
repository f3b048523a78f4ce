"""`notification:` what goes together, and what it means."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from shared.config.schema.system import Notification


def test_a_poll_is_rare_where_new_data_is_announced() -> None:
    """Unless somebody says how rare."""
    every = {mode: Notification().load({"mode": mode})["every_s"] for mode in ("pull", "push")}
    assert every == {"pull": 5.0, "push": 60.0}
    assert Notification().load({"mode": "push", "every": "2s"})["every_s"] == 2.0


@pytest.mark.parametrize(
    ("given", "key", "told"),
    [
        ({"stream": "arrivals"}, "stream", "is for `mode: push`"),
        ({"url": "redis://host", "mode": "pull"}, "url", "is for `mode: push`"),
        ({"mode": "push", "url": "embedded"}, "url", "is no Redis; write redis://"),
        ({"mode": "push", "url": "redis://:hunter/two@host:1"}, "url", "is no URL of a Redis"),
        ({"mode": "push", "stream": "new data"}, "stream", "has blanks in it"),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_key(given: dict[str, str], key: str, told: str) -> None:
    """No option is ignored, and no password is shown."""
    with pytest.raises(ValidationError, match=told) as refused:
        Notification().load(given)
    assert list(refused.value.normalized_messages()) == [key]
    assert "hunter" not in str(refused.value)

"""Workers that run something else than the others."""

from __future__ import annotations

import pytest

from shared.fleet import code_version
from shared.messages.version import MESSAGE_VERSION
from supervisor.system.versions import Versions, speaks


def test_a_worker_that_differs_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """With what differs, and what it should be; equal ones are not spoken of."""
    versions = Versions()
    for _ in range(2):
        versions.compare("a", {"torch": "2.13.0", "code": "1"})
        versions.compare("b", {"torch": "2.13.0", "code": "1"})
        versions.compare("c", {"torch": "2.12.0", "code": "1"})
    (told,) = caplog.messages
    assert "worker c differs from a: torch 2.12.0 instead of 2.13.0." in told


def test_a_worker_of_another_message_version_does_not_count() -> None:
    """It would take no task; one of ours does."""
    assert speaks({"messages": str(MESSAGE_VERSION)})
    assert not speaks({"messages": "0"})
    assert not speaks({})


def test_the_code_version_is_the_same_every_time() -> None:
    """It depends on the sources alone."""
    assert code_version() == code_version() != ""

"""What may be said to `flower`: where it listens, and who may look."""

from __future__ import annotations

import pytest

from shared.errors import ConfigurationError
from supervisor.cli.flower import parse_address, parse_credentials


def test_an_address_is_a_host_and_a_port() -> None:
    """Of both families, with a name, or with any port."""
    told = {text: parse_address(text) for text in ("127.0.0.1:5555", "[::1]:80", "localhost:0", "[fe80::1%eth0]:5")}
    assert list(told.values()) == [("127.0.0.1", 5555), ("::1", 80), ("localhost", 0), ("fe80::1%eth0", 5)]


@pytest.mark.parametrize(
    "text", ["5555", ":5555", "localhost", "::1:5555", "[]:80", "h:-1", "h:65536", "h:²", "h:", ""]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """The sentence repeats it, and shows two that are."""
    with pytest.raises(ConfigurationError, match="write host:port, such as 127.0.0.1:5555") as refused:
        parse_address(text)
    assert str(refused.value).startswith(f"--listen {text} is no address")


def test_several_may_look() -> None:
    """As Flower has it: commas part them, and a password may hold a colon."""
    assert parse_credentials("a:b,c:d:e") == ["a:b", "c:d:e"]


@pytest.mark.parametrize("text", ["hunter2", ":hunter2", "me:", "a:hunter2,", "me:hunter²2"])
def test_credentials_that_nobody_could_give_are_refused(text: str) -> None:
    """The sentence names the variable, and tells no password."""
    with pytest.raises(ConfigurationError, match="^FLOWER_BASIC_AUTH ") as refused:
        parse_credentials(text)
    assert "hunter" not in str(refused.value)

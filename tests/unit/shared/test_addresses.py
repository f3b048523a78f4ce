"""Addresses as people write them."""

from __future__ import annotations

import socket

import pytest

from shared.addresses import Address


@pytest.mark.parametrize("text", ["127.0.0.1:9464", "[::1]:9464", "monitor.example:0"])
def test_an_address_is_written_as_it_was_read(text: str) -> None:
    """Host and port, with brackets where a host has colons."""
    assert str(Address.of(text)) == text


@pytest.mark.parametrize(
    "text",
    ["9464", ":9464", "host:", "host:port", "::1:9464", "host:65536", "host:-1", "host:²", "a..b:1", f"{'h' * 64}:1"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """A port alone, a host alone, ports that are none, and names that no machine can have."""
    with pytest.raises(ValueError, match="host:port|no port"):
        Address.of(text)


def test_others_know_a_machine_by_its_name() -> None:
    """Nobody can ask 0.0.0.0 from elsewhere; an address of one interface is what it is."""
    assert Address.of("0.0.0.0:1").from_elsewhere() == Address(socket.gethostname(), 1)
    assert str(Address.of("[::]:1").from_elsewhere()) == f"{socket.gethostname()}:1"
    assert Address.of("10.0.0.1:1").from_elsewhere() == Address("10.0.0.1", 1)

"""Addresses as people write them: `127.0.0.1:9464`, `[::1]:9464`."""

from __future__ import annotations

import socket
from typing import NamedTuple

_EVERYWHERE = ("0.0.0.0", "::")


class Address(NamedTuple):
    """A host and a port; port 0 is any that is free."""

    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Address:
        """Read one. Raises ValueError for what is none."""
        host, colon, port = text.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if not colon or not bare or (":" in host and bare == host) or not (port.isascii() and port.isdecimal()):
            raise ValueError(f"{text} is not host:port")
        if int(port) > 65_535:
            raise ValueError(f"{text} has no port")
        try:
            bare.encode("idna")  # as sockets do
        except UnicodeError:
            raise ValueError(f"{text} is not host:port, as no machine can be called that") from None
        return cls(bare, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def from_elsewhere(self) -> Address:
        """What others call it: one that is listened on everywhere is known by the name of this machine."""
        return self._replace(host=socket.gethostname()) if self.host in _EVERYWHERE else self

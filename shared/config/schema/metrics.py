"""`metrics:` where Prometheus finds what is to be known of a run and its workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared import addresses
from shared.config import fields as f


class Address(f.Text):
    """Where something is listened on."""

    kind = "host:port"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            return str(addresses.Address.of(str(value)))
        except ValueError:
            raise ValidationError(
                f"{f.quoted(value)} is no address; write host:port, such as 127.0.0.1:9464, or [::1]:9464."
            ) from None


class Metrics(f.Group):
    """`metrics:`."""

    listen = Address(
        "where the supervisor serves `/metrics` and `/targets`; the next port if it is taken, any with port 0",
        load_default="127.0.0.1:9464",
    )
    workers = Address("likewise each worker; what port it has stands in `/targets`", load_default="127.0.0.1:0")

"""`alerts:` who is told when something needs a look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError

from shared.config import fields as f


class WebhookUrl(f.Text):
    """Where alerts are posted."""

    kind = "http:// | https://"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            parts = urlsplit(str(value))
            usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        except ValueError:  # of the port, or of brackets
            usable = False
        if not usable or not re.fullmatch(r"[!-~]+", str(value)):
            told = (
                "is no web address; write http://HOST or https://HOST/PATH, with spaces and umlauts as %20 and %C3%BC."
            )
            raise ValidationError(f"{f.quoted(value)} {told}")
        if parts.username is not None:
            raise ValidationError(
                f"{f.quoted(value)} names a user, whom nobody tells the receiver; name a token in it."
            )
        return value


class Alert(f.Group):
    """An entry of `alerts`."""

    kind = f.Choice("how it is told", "webhook", load_default="webhook")
    url = WebhookUrl("where JSON is posted; ${ENV} fills in secrets", required=True)

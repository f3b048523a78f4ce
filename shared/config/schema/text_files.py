"""How text files of a dataset, or of its labels, are written: delimiter and encoding."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f


class Delimiter(f.Text):
    """What stands between the cells of a line."""

    kind = "one character"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value in '"\r\n':
            raise ValidationError(f'{f.quoted(value)} is not one ASCII character such as ";", or "\\t" for a tab.')
        return value


class Encoding(f.Text):
    """The encoding of text files."""

    kind = "the name of a text encoding"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        try:
            "x".encode(str(value))
            return codecs.lookup(str(value)).name
        except (LookupError, ValueError):
            raise ValidationError(f"{f.quoted(value)} is no text encoding; write one such as latin-1.") from None


def refuse_where_not_text(data: Mapping[str, Any]) -> None:
    """Raise ValidationError for what is said of text files beside a `uri` that names others."""
    uri, given = data["uri"].lower(), data["delimiter"] is not None
    if uri.endswith(".parquet") and (given or data["encoding"] != "utf-8"):
        key = "delimiter" if given else "encoding"
        raise ValidationError({key: ["is of text files, and uri names Parquet; remove it."]})
    if given and re.search(r"\.(jsonl|ndjson)(\.\w+)?$", uri):
        raise ValidationError({"delimiter": ["is of CSV, and uri names JSON lines; remove it."]})

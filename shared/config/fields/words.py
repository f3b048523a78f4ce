"""Texts, names, folders, and words of which one is chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config.fields.sentence import Sentence, nearest, quoted


class Text(Sentence):
    """A text."""

    kind = "text"

    def __init__(self, meaning: str, *, may_be_empty: bool = False, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.may_be_empty = may_be_empty

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not (value.strip() or self.may_be_empty):
            raise ValidationError(f"{quoted(value)} is not a text.")
        return value


class Name(Text):
    """A text that can name a file or folder on any system."""

    kind = "name"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", value):
            raise ValidationError(
                f"{quoted(value)} cannot name a folder; use up to 100 letters, digits, `-`, `_` and `.`."
            )
        return value


class Folder(Text):
    """A local folder; `file://` before it says no more."""

    kind = "folder"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        path = str(super()._deserialize(value, attr, data, **kwargs)).removeprefix("file://")
        if "://" in path:
            raise ValidationError(f"{path.split('://')[0]}:// is not available yet; available: a local folder.")
        if not path:
            raise ValidationError(f"{quoted(value)} names no folder; write its path.")
        return path


class Truth(Sentence):
    """true or false."""

    kind = "true or false"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError(f"{quoted(value)} is neither true nor false.")
        return value


class Choice(Sentence):
    """One of several words; those of a later version are refused by name, unless they can be chosen already."""

    def __init__(self, meaning: str, *now: str, later: tuple[str, ...] = (), **options: Any) -> None:
        super().__init__(meaning, **options)
        self.now, self.later = now, later
        self.kind = " | ".join(now)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value in self.now:
            return value
        if value in self.later:
            raise ValidationError(f"{value} is not available yet; available: {', '.join(self.now)}.")
        raise ValidationError(f"{quoted(value)} is unknown; {nearest(str(value), self.now)}")


class Only(Sentence):
    """A key whose one value so far is its default; anything else is not available yet."""

    def __init__(self, meaning: str, only: Any, **options: Any) -> None:
        super().__init__(meaning, load_default=only, **options)
        self.only = only
        self.kind = f"only {str(only).lower()} so far"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if value != self.only or isinstance(value, bool) != isinstance(self.only, bool):
            raise ValidationError(f"{quoted(value)} is not available yet; available: {str(self.only).lower()}.")
        return value

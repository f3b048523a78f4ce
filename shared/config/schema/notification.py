"""`notification:` how a run that follows its dataset learns that there is something new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, post_load

from shared.config import fields as f

_SCHEMES = ("redis://", "rediss://", "redis+socket://")
_EVERY_S = {"pull": 5.0, "push": 60.0}


class RedisUrl(f.Text):
    """The URL of a Redis."""

    kind = "redis:// | rediss:// | redis+socket://"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not str(value).startswith(_SCHEMES):
            raise ValidationError(f"{f.quoted(str(value).split('://')[0])} is no Redis; write {self.kind}.")
        try:
            _ = urlsplit(str(value)).port
        except ValueError:  # what it says may hold a part of the password
            raise ValidationError(
                "is no URL of a Redis; write one such as redis://:${PASSWORD}@host:6379/0. In a password write "
                "@ : / # ? as %40 %3A %2F %23 %3F."
            ) from None
        return value


class StreamName(f.Text):
    """The name of a stream."""

    kind = "key in Redis"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        name = str(super()._deserialize(value, attr, data, **kwargs))
        if name != "".join(name.split()):
            raise ValidationError(f"{f.quoted(name)} has blanks in it; a stream is called such as modyn:data:flights.")
        return name


class Notification(f.Group):
    """`notification:`."""

    mode = f.Choice(
        "how new data is noticed: the run looks every so often, or is told on a stream in Redis as well",
        "pull",
        "push",
        load_default="pull",
    )
    every_s = f.Duration(
        "between two looks; without it 5s, and with push, where it is for announcements that got lost, 60s",
        load_default=None,
        data_key="every",
    )
    url = RedisUrl(
        "with push: the Redis that has the stream; ${ENV} fills in secrets; without it the broker", load_default=None
    )
    stream = StreamName("with push: the stream; without it `modyn:data:` and the dataset's name", load_default=None)

    @f.validates_schema
    def _is_used(self, data: dict[str, Any], **_: Any) -> None:
        if data["mode"] == "pull":
            told = "is for `mode: push`; with pull nothing is announced. Write that, or remove the key."
            if wrong := {key: [told] for key in ("url", "stream") if data[key] is not None}:
                raise ValidationError(wrong)

    @post_load
    def _with_every(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        every_s = data["every_s"]
        return {**data, "every_s": _EVERY_S[data["mode"]] if every_s is None else every_s}

"""Answers of Flower without the broker's password: workers tell it, with all else of their connection."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Sequence

from tornado.escape import xhtml_escape
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

from shared.broker import connect
from shared.config.secrets import SHORTEST

_FILES = "/static/"  # of Flower's package


class WithoutPassword(OutputTransform):
    """What an answer goes through; an answer to a page is one chunk."""

    def __init__(self, request: HTTPServerRequest, passwords: Sequence[bytes]) -> None:
        self._passwords = () if request.path.startswith(_FILES) else passwords

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """The head of an answer, with what is there of its body."""
        shown = self.transform_chunk(chunk, finishing)
        if len(shown) != len(chunk) and "Content-Length" in headers:
            headers["Content-Length"] = str(len(shown))
        return status_code, headers, shown

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """What comes after it."""
        for password in self._passwords:
            chunk = chunk.replace(password, b"***")
        return chunk


def spellings_of_password(broker_url: str) -> list[bytes]:
    """The password of a URL as it may stand in a page, in JSON or in a URL; the longest first."""
    told = connect(broker_url).connection_pool.connection_kwargs.get("password") or ""
    written = {told, urllib.parse.urlsplit(broker_url).password or "", urllib.parse.quote(told, safe="")}
    shown = {way(one) for one in written for way in (str, xhtml_escape, _in_json)}
    return sorted((one.encode() for one in shown if len(one) >= SHORTEST), key=len, reverse=True)


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]

"""Answers that would tell the broker's password."""

from __future__ import annotations

import json

import pytest
from tornado.escape import xhtml_escape
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from supervisor.system.without_password import WithoutPassword, spellings_of_password

URLS = {
    "redis://:{}@host:6379/0": "s3cr%22t%2F%26",
    "rediss://me:{}@host:6379/0": "s3cr%22t%2f%26",
    "redis+socket://:{}@/tmp/redis.sock": "s3cr%22t%2F%26",
    "redis+socket:///tmp/redis.sock?password={}": "s3cr%22t%2F%26",
}
PASSWORD = 's3cr"t/&'


def shown(path: str, url: str, body: str) -> tuple[str, str]:
    """What becomes of a page, and the length that its head tells."""
    filtered = WithoutPassword(
        HTTPServerRequest(start_line=RequestStartLine("GET", path, "HTTP/1.0")), spellings_of_password(url)
    )
    headers = HTTPHeaders({"Content-Length": str(len(body.encode()))})
    _, headers, chunk = filtered.transform_first_chunk(200, headers, body.encode(), True)
    return chunk.decode(), headers["Content-Length"]


@pytest.mark.parametrize("url", URLS, ids=lambda url: url.partition("{")[0])
def test_no_spelling_of_the_password_is_in_an_answer(url: str) -> None:
    """As it is, in HTML, in JSON, and in the URL as somebody wrote it; the head tells the length that is left."""
    written = url.format(URLS[url])
    body = f"<p>é {PASSWORD} {xhtml_escape(PASSWORD)} {written}</p>{json.dumps([PASSWORD])}"
    page, length = shown("/api/workers", written, body)
    assert page == f'<p>é *** *** {url.format("***")}</p>["***"]'
    assert length == str(len(page.encode()))


@pytest.mark.parametrize("url", ["redis://host:6379/0", "redis://:abc@host", "redis+socket:///tmp/redis.sock"])
def test_an_answer_stays_whole_where_there_is_nothing_to_hide(url: str) -> None:
    """Without a password, or with one that is part of every second word."""
    assert shown("/", url, "abc of the broker") == ("abc of the broker", "17")


def test_flowers_own_files_stay_whole() -> None:
    """They hold no password, but may hold the word that is one."""
    assert shown("/static/js/flower.js", "redis://:table@host", "table") == ("table", "5")

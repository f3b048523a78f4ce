"""Flower beside a run: what it shows, and to whom."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from redis.client import PubSub
from running import Running
from serving import Server
from workplace import Workplace

from shared import names
from shared.broker import connect
from supervisor.system.embedded_broker import EmbeddedBroker

PASSWORD = "s3cr't/pw"
TRIGGER = 3


class Browser:
    """Somebody who asks for pages."""

    def __init__(self, address: str, credentials: str = "") -> None:
        self._address = address
        self._headers = {"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"} if credentials else {}

    def ask(self, path: str, method: str = "GET") -> tuple[int, str]:
        """The status and the page."""
        request = urllib.request.Request(self._address + path, method=method, headers=self._headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def tasks(self, search: str) -> dict[str, dict[str, Any]]:
        """What Flower finds, by the id of the task."""
        told: dict[str, dict[str, Any]] = json.loads(self.ask(f"/api/tasks?search={urllib.parse.quote(search)}")[1])
        return told


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A Redis of the test's own."""
    one = Server(tmp_path, remembers=False)
    yield one
    one.end()


def flower(place: Workplace, **environment: str) -> Running:
    """Flower on any free port."""
    command = place.command("flower", str(place.folder / "config.yaml"), "--listen", "127.0.0.1:0")
    return Running(command, **environment)


def address(started: Running) -> str:
    """Where it says that it is."""
    found = re.search(r"http://127\.0\.0\.1:\d+", started.wait_for("at http://"))
    assert found is not None
    return found[0]


def test_flower_tells_the_story_of_a_run_and_no_secret(small: Workplace, server: Server) -> None:
    """Every task of a trigger is found by pipeline and number, under one name; strangers see nothing; nobody touches.

    The password of the broker is in no page, though workers tell it, nor in anybody's command line.
    """
    with connect(server.url) as client:
        client.config_set("requirepass", PASSWORD)
    url = server.url.replace("://", f"://:{urllib.parse.quote(PASSWORD, safe='')}@")
    small.config["broker"] = {"url": url}
    small.write()
    with flower(small, FLOWER_BASIC_AUTH="me:mine,you:yours") as shown:
        at = address(shown)
        with Running.pipeline(small) as run, connect(url).pubsub() as told:
            told.psubscribe("*celeryev*")
            run.wait_for(f"model {TRIGGER} deployed")
            me = Browser(at, "me:mine")
            while not _tells_all(me, small.run_dir / "journal.jsonl"):
                pass  # a task's end is told a moment later
            pages = _pages(Browser(at, "you:yours"))
            _assert_named_once(told)
            _assert_closed(at, pages)
            for page, (status, content) in {page: me.ask(page) for page in pages}.items():
                assert status == 200, (page, content)
                assert "s3cr" not in content, page
            commands = [one.info["cmdline"] for one in psutil.process_iter(["cmdline"])]
            assert "s3cr" not in str(commands)
            assert run.end() == 0
        assert shown.end(signal.SIGTERM) == 0
        with connect(url) as client:
            assert not client.exists(names.WATCHED_KEY)
    assert "s3cr" not in "".join([*shown.said, *run.said])
    assert "password" not in "".join(shown.said)


def _tells_all(browser: Browser, journal: Path) -> bool:
    """Whether all tasks of the trigger that the journal has are found, and were seen from being sent to their end."""
    found = browser.tasks(f"kwargs:pipeline=small kwargs:trigger={TRIGGER}")
    journaled = set(re.findall(rf'"([^"/]+/{TRIGGER}/\w+/\d+)"', journal.read_text()))
    seen = ("sent", "received", "started", "succeeded")
    return set(found) == journaled and all(task[moment] for task in found.values() for moment in seen)


def _pages(browser: Browser) -> list[str]:
    """Pages of each kind, of the workers and of a task among them."""
    workers = json.loads(browser.ask("/api/workers?refresh=1")[1])
    assert sorted(re.sub(r"-\d+-\d+-cpu@.+", "", one) for one in workers) == ["evaluate", "train"]
    assert all(one.endswith(f"-cpu@{socket.gethostname()}") for one in workers)
    some = ["/", "/workers?json=1", "/tasks", "/broker", "/metrics", "/api/workers", "/api/tasks", "/api/task/types"]
    tasks = [f"/task/{urllib.parse.quote(task, safe='')}" for task in browser.tasks("kwargs:trigger=0")]
    return [*some, "/api/queues/length", *tasks[:1], *(f"/worker/{urllib.parse.quote(one)}" for one in workers)]


def _assert_named_once(told: PubSub) -> None:
    """Workers have the same names for tasks as who sends them."""
    named: dict[str, set[tuple[str, str]]] = {"task-sent": set(), "task-received": set()}
    while (one := told.get_message(timeout=0.5)) is not None:
        events = json.loads(b64decode(json.loads(one["data"])["body"])) if one["type"] == "pmessage" else []
        for event in events if isinstance(events, list) else [events]:
            named.get(event["type"], set()).add((event.get("uuid"), event.get("name")))
    assert named["task-sent"] == named["task-received"]
    kinds = ("check", "select", "train", "gather", "evaluate", "baseline", "decide", "set_up")
    assert {name for _, name in named["task-sent"]} == {names.celery_task(kind) for kind in kinds}


def _assert_closed(at: str, pages: list[str]) -> None:
    """To whom has no password, or a wrong one, and to all for what changes something."""
    for credentials in ("", "me:yours", "mé:mine"):
        stranger = Browser(at, credentials)
        assert {stranger.ask(page)[0] for page in [*pages, "/static/js/flower.js", "/login"]} == {401}
        assert stranger.ask("/api/task/revoke/x", "POST")[0] == 401
        assert stranger.ask("/healthcheck") == (200, "OK")
    with socket.create_connection(("127.0.0.1", int(at.rpartition(":")[2])), timeout=10) as much:
        much.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n")
        assert much.recv(12) == b"HTTP/1.1 401"  # before any of it is sent
    me = Browser(at, "me:mine")
    for act in ("task/revoke/x", "task/send-task/modyn.train", f"worker/shutdown/{pages[-1].split('/')[-1]}"):
        assert me.ask(f"/api/{act}", "POST")[0] == 403


def test_flower_ends_with_the_embedded_broker_that_it_shows(small: Workplace) -> None:
    """A password is made and told once; without a broker, or with an address that is taken, it says so and ends."""
    small.write()
    none = small.tell("flower", "config.yaml")
    assert (none.returncode, none.stderr) == (3, small.tell("fleet", "config.yaml").stderr)
    broker = EmbeddedBroker(str(small.folder / "runs"))
    with flower(small) as shown:
        at = address(shown)
        user, password = re.findall(r"Log in as (\w+) with the password (\S+),", shown.wait_for("Log in"))[0]
        assert [Browser(at, f"{user}:{one}").ask("/")[0] for one in (password, "guess")] == [200, 401]
        taken = small.tell("flower", "config.yaml", "--listen", at.removeprefix("http://"))
        assert taken.returncode == 3
        assert f"--listen: {at.removeprefix('http://')} cannot be listened on (Address already in use)" in taken.stderr
        with connect(broker.url) as client:
            assert 0 < client.ttl(names.WATCHED_KEY) <= names.WATCHED_TTL_S
        broker.stop()
        assert shown.wait() == 0
    assert "the supervisor whose broker this was has ended" in shown.said[-1]
    assert "".join(shown.said).count(password) == 1

"""New data that is announced, on a real Redis: what a run hears, and what is left when it hears no more."""

from __future__ import annotations

import re
import shlex
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import redis
from serving import Server
from workplace import PROJECT

from shared import names
from shared.broker import connect
from shared.config.system import Notification
from shared.errors import NotReadyError
from shared.ids import RunId
from supervisor.core.events import Deregistered, Registered
from supervisor.run.observe.announced_stream import AnnouncedStream
from supervisor.run.observe.announcements import Announcements
from supervisor.run.observe.looks import Looks
from supervisor.run.watch.reports import Reports
from supervisor.system.announcing import wrong_with_announcements

STREAM, GROUP = names.announcements_key("rows"), names.announcements_group(RunId("run"))


def stream_of(client: redis.Redis) -> AnnouncedStream:
    """The stream, as a run on the dataset `rows` has it."""
    return AnnouncedStream(client, STREAM, GROUP, "rows")


def heard(client: redis.Redis, wake: Callable[[], object] = lambda: None) -> Announcements:
    """What a session of the run hears."""
    return Announcements(stream_of(client), wake)


def until(holds: Callable[[], object]) -> None:
    """Wait for a thread of ours, or for Redis."""
    give_up_s = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(0.001)


def take_first(announcements: Announcements) -> list[str]:
    """The look that a session begins with."""
    until(lambda: announcements.wants_a_look)
    return announcements.take()


def pending(client: redis.Redis) -> int:
    """How much was handed out and not acknowledged."""
    return cast(int, cast(Any, client.xpending(STREAM, GROUP))["pending"])


def test_what_is_announced_is_acknowledged_after_the_look_for_it(client: redis.Redis) -> None:
    """A run registers, and leaves nothing behind; both are events. Before that nobody kept anything for it."""
    client.xadd(STREAM, {"dataset": "rows"})
    with heard(client) as announcements:
        assert take_first(announcements) == []
        assert [type(event) for event in announcements.happened()] == [Registered]
        announced = client.xadd(STREAM, {"dataset": "rows", "file": "a.parquet"})
        until(lambda: announcements.wants_a_look)
        taken = announcements.take()
        assert (taken, announcements.wants_a_look, pending(client)) == ([announced], False, 1)
        announcements.looked(taken)
        until(lambda: pending(client) == 0)
        (over,) = announcements.leave()
        assert isinstance(over, Deregistered)
        assert (over.stream, over.group) == (STREAM, GROUP)
    assert client.xinfo_groups(STREAM) == []
    assert announcements.leave() == []


def test_a_session_that_was_killed_leaves_what_it_had_not_looked_for_to_the_next(client: redis.Redis) -> None:
    """Also what was announced while there was none, and what was trimmed."""
    with heard(client) as killed:
        take_first(killed)
        trimmed, kept = (client.xadd(STREAM, {"dataset": "rows"}) for _ in range(2))
        until(lambda: pending(client) == 2)
    client.xtrim(STREAM, maxlen=1, approximate=False)
    later = client.xadd(STREAM, {"dataset": "rows"})
    with heard(client) as announcements:
        until(lambda: pending(client) == 3)
        taken = take_first(announcements)
        while len(taken) < 3:
            taken += take_first(announcements)
        assert taken == [trimmed, kept, later]
        announcements.looked(taken)
        until(lambda: pending(client) == 0)


def test_many_announcements_are_one_look(client: redis.Redis) -> None:
    """100,000 at once are read in batches, and acknowledged in one go."""
    client.xgroup_create(STREAM, GROUP, id="$", mkstream=True)
    add = client.register_script("for n = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'dataset', 'rows') end")
    add(keys=[STREAM], args=[100_000])
    found = stream_of(client)
    assert not found.register()
    taken = found.next(1.0)
    assert (len(taken), pending(client)) == (100_000, 100_000)
    found.acknowledge(taken)
    assert (pending(client), found.next(0.0)) == (0, [])


def test_what_concerns_another_dataset_wakes_nobody(client: redis.Redis) -> None:
    """Several may be announced on one stream. What says nothing that we know may mean ours: a look does no harm."""
    found = stream_of(client)
    found.register()
    client.xadd(STREAM, {"dataset": "others"})
    assert (found.next(0.0), pending(client)) == ([], 0)
    nonsense = client.xadd(STREAM, {"what": "is this"})
    assert found.next(0.0) == [nonsense]


def test_a_redis_that_was_away_or_wiped_is_registered_with_again(caplog: pytest.LogCaptureFixture) -> None:
    """Each time with a look, as nobody knows what was announced meanwhile; it is said once that it is away."""
    with tempfile.TemporaryDirectory(prefix="modyn-test-", dir="/tmp") as folder:
        server = Server(Path(folder), remembers=False)
        with connect(server.url) as client, heard(connect(server.url)) as announcements:
            take_first(announcements)
            client.flushall()
            take_first(announcements)
            server.be_away(1.5)
            take_first(announcements)
            assert len(client.xinfo_groups(STREAM)) == 1
            assert [type(event) for event in announcements.happened()] == [Registered] * 3
            forgotten, away = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
            assert "the run registers again" in forgotten
            assert "the run looks for new data by itself meanwhile" in away
            server.end()
            assert announcements.leave() == []
    assert f"the group {GROUP} of stream {STREAM} could not be removed" in caplog.text


def test_an_announcement_ends_the_wait_for_reports(client: redis.Redis, redis_url: str) -> None:
    """So that a look follows at once, and not when the loop turns next by itself; and a poll is far away."""
    reports = Reports(client, RunId("run"), "0")
    reports.next(0.0)
    with heard(connect(redis_url), reports.wake) as announcements:
        looks = Looks(Notification(mode="push", every_s=3600.0), announcements)
        assert reports.next(4.0) == []
        with looks.one():
            pass
        assert not looks.are_due
        began_s = time.monotonic()
        client.xadd(STREAM, {"dataset": "rows"})
        assert reports.next(4.0) == []
        assert time.monotonic() - began_s < 3
        until(lambda: looks.are_due)


def test_validate_warns_of_a_redis_that_does_not_answer(client: redis.Redis, redis_url: str) -> None:
    """A run could go on without; what is no URL could never be heard, and is refused."""
    push = Notification(mode="push", every_s=60.0)
    assert wrong_with_announcements(push, redis_url) == []
    away = msgspec.structs.replace(push, url="redis+socket:///tmp/none/r.sock")
    (sentence,) = wrong_with_announcements(away, redis_url)
    assert "notification.url: redis+socket:///tmp/none/r.sock does not answer" in sentence
    assert "looks for new data every 60 s meanwhile" in sentence
    assert wrong_with_announcements(msgspec.structs.replace(away, mode="pull"), redis_url) == []
    with pytest.raises(NotReadyError, match="is no URL of a Redis"):
        wrong_with_announcements(msgspec.structs.replace(push, url="redis://host?socket_timeout=x"), redis_url)


def test_the_examples_of_the_page_announce(client: redis.Redis, redis_url: str) -> None:
    """docs/notification.md, line by line: in Python, and with redis-cli."""
    page = (PROJECT / "docs" / "notification.md").read_text(encoding="utf-8")
    python, shell = re.findall(r"```(?:python|sh)\n(.*?)```", page, re.DOTALL)
    found = AnnouncedStream(client, names.announcements_key("flights"), GROUP, "flights")
    found.register()
    exec(python.replace("redis://host:6379/0", redis_url.replace("redis+socket", "unix")), {})
    program, option, _, *command = shlex.split(shell.replace("\\\n", " "))
    assert (program, option) == ("redis-cli", "-u")
    client.execute_command(*command)
    ids = found.next(0.0)
    entries = cast(Any, client.xrange(found.stream))
    assert entries == [(one, {"dataset": "flights", "file": "2026-01-02.parquet"}) for one in ids]
    assert len(ids) == 2

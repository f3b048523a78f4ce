"""What a process shows to whoever scrapes it, and at which address."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from scraping import ask, page, scrape, scrape_openmetrics, value

from shared.addresses import Address
from shared.errors import NotReadyError
from shared.exposition.metric import Metric, Tally
from shared.exposition.server import Exposition

ANY = Address("127.0.0.1", 0)
ROWS = Metric("modyn_test_rows_total", "Rows.", ("kind",))


class Rows(Collector):
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.tally = Tally(("told",), ("asked",))

    def collect(self) -> Iterator[Family]:
        """The counts."""
        self.tally.add("asked")
        yield ROWS.counter(self.tally.samples())


def test_whoever_asks_gets_what_is_counted_now() -> None:
    """In the text format and in OpenMetrics, beside what the process and the page itself cost."""
    with Exposition(ANY, "metrics.listen") as shown:
        rows = Rows()
        shown.serve(rows)
        rows.tally.add("told", by=7)
        samples = scrape(str(shown.address))
        assert value(samples, "modyn_test_rows_total", kind="told") == 7
        assert value(samples, "process_resident_memory_bytes") or value(samples, "process_cpu_seconds_total")
        again = scrape_openmetrics(str(shown.address))
        assert value(again, "modyn_test_rows_total", kind="asked") == 2
        assert (value(again, "modyn_metrics_cpu_seconds_total") or 0) > 0


def test_pages_stand_beside_the_metrics() -> None:
    """One that cannot be told says why with 503, so that Prometheus keeps its list; others are named with 404."""

    def away() -> None:
        raise NotReadyError("The broker does not answer.")

    with Exposition(ANY, "metrics.listen") as shown:
        shown.serve(Rows(), targets=lambda: [1], away=away)
        address = str(shown.address)
        assert page(address, "/targets") == [1]
        assert ask(address, "/away") == (503, '{"error": "The broker does not answer."}')
        assert ask(address, "/") == (404, '{"pages": ["/metrics", "/targets", "/away"]}')


def test_a_mistake_of_ours_is_a_sentence_and_told_once(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever scrapes comes back every few seconds; other pages are told all the same, and nobody sees a traceback."""

    class Broken(Rows):
        def collect(self) -> Iterator[Family]:
            yield ROWS.counter({("told",): {}["lost"]})

    told = "this should not happen: /metrics cannot be told: KeyError: 'lost'"
    with Exposition(ANY, "metrics.listen") as shown:
        shown.serve(Broken(), targets=lambda: [1])
        for _ in range(3):
            status, body = ask(str(shown.address), "/metrics")
            assert (status, told in body) == (500, True)
        assert page(str(shown.address), "/targets") == [1]
    warned = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert len(warned) == 1
    assert told in warned[0]
    assert capfd.readouterr().err == ""


def test_of_two_that_want_a_port_the_second_has_the_next() -> None:
    """Two runs on a machine have the same config.yaml; a port that was free before is the one that was asked for."""
    with Exposition(ANY, "metrics.listen") as first, Exposition(first.address, "metrics.listen") as second:
        assert second.address.port > first.address.port
        assert (first.is_as_wanted, second.is_as_wanted) == (True, False)
        second.serve(Rows())
        assert scrape(str(second.address))


@pytest.mark.parametrize("wanted", ["192.0.2.1:9464", "no-such-host.invalid:9464"])
def test_an_address_that_is_not_here_is_refused_with_a_sentence(wanted: str) -> None:
    """With the key, the address, and what to do."""
    with pytest.raises(NotReadyError, match=f"^metrics.listen: {wanted} cannot be listened on .* name an address of"):
        Exposition(Address.of(wanted), "metrics.listen")


def test_a_machine_without_a_free_port_is_told() -> None:
    """Ports end somewhere."""
    with socket.socket() as last:
        last.bind(("127.0.0.1", 65_535))
        last.listen()
        with pytest.raises(NotReadyError, match="no port from 65535 to 65535 is free on 127.0.0.1"):
            Exposition(Address("127.0.0.1", 65_535), "metrics.listen")


def test_at_its_end_the_port_is_free_and_the_thread_gone() -> None:
    """At once, though it slept; also where it was never asked to serve."""
    with Exposition(ANY, "metrics.listen") as shown:
        shown.serve(Rows())
    assert not [one for one in threading.enumerate() if one.name == "metrics"]
    with Exposition(shown.address, "metrics.listen") as again:
        assert again.is_as_wanted


def test_somebody_who_connects_and_says_nothing_keeps_nobody_waiting() -> None:
    """Each connection has a thread of its own."""
    with Exposition(ANY, "metrics.listen") as shown:
        shown.serve(Rows())
        with socket.create_connection(shown.address):
            assert scrape(str(shown.address))


def test_however_many_connect_only_some_are_let_in() -> None:
    """Each takes a file, of which a supervisor has some thousand; the others wait until there is room."""
    with Exposition(ANY, "metrics.listen") as shown, ExitStack() as those_who_say_nothing:
        shown.serve(Rows())
        for _ in range(100):
            those_who_say_nothing.enter_context(socket.create_connection(shown.address))
        with socket.create_connection(shown.address, timeout=0.5) as last:
            last.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            with pytest.raises(TimeoutError):
                last.recv(1)
            those_who_say_nothing.close()
            last.settimeout(20)
            assert last.recv(8) == b"HTTP/1.0"


def test_it_ends_while_nobody_else_can_be_let_in() -> None:
    """At once, and not when all have gone."""
    with ExitStack() as those_who_say_nothing:
        with Exposition(ANY, "metrics.listen") as shown:
            shown.serve(Rows())
            for _ in range(60):
                those_who_say_nothing.enter_context(socket.create_connection(shown.address))
            began_s = time.monotonic()
        assert time.monotonic() - began_s < 5


def test_ipv6() -> None:
    """Written with brackets."""
    try:
        shown = Exposition(Address.of("[::1]:0"), "metrics.listen")
    except NotReadyError as error:
        pytest.skip(str(error))
    with shown:
        shown.serve(Rows())
        assert scrape(str(shown.address))

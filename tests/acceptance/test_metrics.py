"""What Prometheus finds of a run, and what it would alert to."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable

import pytest
import yaml
from running import Running, workers
from scraping import Samples, page, scrape, scrape_openmetrics, value
from workplace import PROJECT, Workplace

_PATIENCE_S = 100.0


def test_a_run_and_its_workers_are_found_and_two_alerts_fire_when_these_die(cluster: Workplace) -> None:
    """All of it by way of one page; the rules are those of docker/monitoring, and hold for none that is well."""
    cluster.config["metrics"] = {"listen": "127.0.0.1:0"}
    cluster.pipeline["training"]["stall_after"] = "1s"
    cluster.pipeline["initial_mode"] = "replay"
    cluster.write()
    with workers(cluster, "train", "evaluate") as fleet, Running.pipeline(cluster) as run:
        own = found(run)
        run.wait_for("model 3 deployed")
        targets = page(own, "/targets")
        assert {one["labels"].get("role", "supervisor") for one in targets} == {"supervisor", "train", "evaluate"}
        shown = {one["labels"].get("role", "supervisor"): scrape(one["targets"][0]) for one in targets}
        assert scrape_openmetrics(own).keys() >= {("modyn_broker_up", frozenset())}
        assert value(shown["supervisor"], "modyn_tasks_done_total", stage="train") == 4
        assert (value(shown["train"], "modyn_worker_trained_rows_total") or 0) > 1500
        assert value(shown["train"], "modyn_worker_tasks_total", kind="train", outcome="done") == 4
        await_(lambda: not any(one for (name, _), one in scrape(own).items() if name == "modyn_open_tasks"))
        samples = scrape(own)
        assert value(samples, "modyn_leased_tasks") == 0
        assert not fires("ModynNoWorkers", samples)
        assert not fires("ModynRunStalled", samples)
        for worker in fleet:
            worker.process.kill()
        cluster.add_file(2)
        await_(lambda: fires("ModynNoWorkers", scrape(own)))
        await_(lambda: fires("ModynRunStalled", scrape(own)))
        run.end()


def test_a_second_run_takes_the_next_port_and_a_port_that_nobody_may_have_ends_a_run(small: Workplace) -> None:
    """The first is said, with both addresses; of the second key, value and remedy, before anything starts."""
    small.config |= {"notification": {"every": "1s"}, "fleet": {"train": 0, "evaluate": 0}}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        small.config["metrics"] = {"listen": f"127.0.0.1:{port}"}
        with Running.pipeline(small) as run:
            said = run.wait_for("is taken; metrics are at")
            assert f"127.0.0.1:{port} is taken" in said
            assert scrape(found(run, said))
            run.end()
    small.config["metrics"] = {"listen": "192.0.2.1:9464"}
    done = small.run("--experiment-mode")
    assert done.returncode == 3
    assert "metrics.listen: 192.0.2.1:9464 cannot be listened on" in done.stderr
    small.config["metrics"] = {"listen": "9464"}
    done = small.run("--experiment-mode")
    assert done.returncode == 2
    assert re.search(r"config.yaml:\d+: metrics.listen: '9464' is no address; write host:port", done.stderr)


def found(run: Running, said: str = "") -> str:
    """Where a run says that its metrics are."""
    address = re.search(r"http://([\d.:]+)/metrics", said or run.wait_for("metrics are at"))
    assert address is not None
    return address[1]


def await_(happens: Callable[[], bool]) -> None:
    """Return when it does."""
    give_up_s = time.monotonic() + _PATIENCE_S
    while not happens():
        if time.monotonic() > give_up_s:
            pytest.fail(f"did not happen for {_PATIENCE_S:.0f} s")
        time.sleep(0.1)


def fires(alert: str, samples: Samples) -> bool:
    """Whether a rule's expression holds: a metric compared with a number, or with one that has the same labels."""
    groups = yaml.safe_load((PROJECT / "docker" / "monitoring" / "alerts.yml").read_text())["groups"]
    rule = next(rule for group in groups for rule in group["rules"] if rule["alert"] == alert)
    parts = re.fullmatch(r"(\w+) (==|>) (\w+)", rule["expr"])
    assert parts is not None, rule["expr"]
    name, operator, right = parts.groups()
    left = {labels: one for (found, labels), one in samples.items() if found == name}
    assert left, f"{name} is not there"
    limits = {labels: float(right) if right.isdecimal() else samples[right, labels] for labels in left}
    return any(one == limits[key] if operator == "==" else one > limits[key] for key, one in left.items())

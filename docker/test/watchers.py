"""Those who look at the fleet: Prometheus and Flower, asked as a browser asks them."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import yaml
from engine import PROJECT, Engine, require

_PROMETHEUS = ("prometheus", 9090)
_FLOWER = ("flower", 5555)
_PAGES_OF_FLOWER = ("/", "/tasks", "/api/workers", "/metrics")


def prometheus_sees(engine: Engine, containers: list[str]) -> Callable[[], bool]:
    """Whether its targets are these containers and no others, all are up, and it judges by each of our rules."""
    rules = yaml.safe_load((PROJECT / "docker" / "monitoring" / "alerts.yml").read_text())["groups"]
    alerts = {(rule["alert"], "ok") for group in rules for rule in group["rules"]}
    hosts = {(_host(one), "up") for one in containers}

    def ask() -> bool:
        targets = _prometheus(engine, "targets?state=active")["activeTargets"]
        groups = _prometheus(engine, "rules")["groups"]
        seen = {(one["labels"].get("host"), one["health"]) for one in targets}
        return seen == hosts and {(one["name"], one["health"]) for group in groups for one in group["rules"]} == alerts

    return ask


def flower_lists(engine: Engine, containers: list[str]) -> Callable[[], bool]:
    """Whether its workers are those of these containers."""
    hosts = {_host(one) for one in containers}

    def ask() -> bool:
        status, page = _ask(engine, _FLOWER, "/api/workers?refresh=1", engine.flower_credentials)
        return status == 200 and {name.rpartition("@")[2] for name in json.loads(page)} == hosts

    return ask


def require_closed(engine: Engine) -> None:
    """End with a sentence unless Flower sends away who has no password, or a wrong one."""
    for credentials in (None, "modyn:guess"):
        for page in _PAGES_OF_FLOWER:
            status, _ = _ask(engine, _FLOWER, page, credentials)
            require(status in (401, 403), f"Flower answers a stranger who asks for {page} with {status}.")


def _prometheus(engine: Engine, page: str) -> Any:
    """What its API says of something; nothing while it starts."""
    status, told = _ask(engine, _PROMETHEUS, f"/api/v1/{page}")
    return json.loads(told)["data"] if status == 200 else {"activeTargets": [], "groups": []}


def _ask(engine: Engine, service: tuple[str, int], page: str, credentials: str | None = None) -> tuple[int, str]:
    """Status and text of a page; status 0 while nobody answers."""
    request = urllib.request.Request(f"http://{engine.address(*service)}{page}")
    if credentials is not None:
        request.add_header("Authorization", f"Basic {base64.b64encode(credentials.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, ""
    except OSError:
        return 0, ""


def _host(container: str) -> str:
    """What it is called in its network."""
    return container[:12]

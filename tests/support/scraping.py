"""Somebody who scrapes: what a process shows to Prometheus, read by the official parsers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

__all__ = ["Samples", "ask", "page", "scrape", "scrape_openmetrics", "value"]


def ask(address: str, path: str, **headers: str) -> tuple[int, str]:
    """Status and text of a page."""
    try:
        request = urllib.request.Request(f"http://{address}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def page(address: str, path: str) -> Any:
    """What a page of JSON says."""
    return json.loads(ask(address, path)[1])


def scrape(address: str) -> Samples:
    """Each sample by its name and labels."""
    return _samples(text_string_to_metric_families(ask(address, "/metrics")[1]))


def scrape_openmetrics(address: str) -> Samples:
    """The same as newer scrapers ask for it."""
    text = ask(address, "/metrics", Accept="application/openmetrics-text; version=1.0.0")[1]
    return _samples(openmetrics_parser.text_string_to_metric_families(text))


def _samples(families: Iterable[Any]) -> Samples:
    found: Samples = {}
    for family in families:
        assert family.documentation, family.name
        for one in family.samples:
            key = (one.name, frozenset(one.labels.items()))
            assert key not in found, f"{key} stands there twice"
            found[key] = one.value
    return found


def value(samples: Mapping[Any, float], name: str, **labels: str) -> float | None:
    """That of the one sample with this name and these labels."""
    return samples.get((name, frozenset(labels.items())))

"""docker/monitoring: what its rules and its dashboard ask for is what supervisors and workers tell."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from workplace import PROJECT

from shared.exposition import server
from shared.exposition.metric import Metric
from supervisor.run.listen.metrics import asked, heard, run_metrics, seen
from workers.process import worker_metrics

FOLDER = PROJECT / "docker" / "monitoring"
METRICS = {
    one.name: one
    for module in (asked, heard, run_metrics, seen, server, worker_metrics)
    for one in vars(module).values()
    if isinstance(one, Metric)
}
TARGET_LABELS = {"instance", "job", "component", "host", "role", "device", "worker"}


def rules() -> list[dict[str, Any]]:
    """Those of alerts.yml."""
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Those of the dashboard."""
    found: list[dict[str, Any]] = json.loads((FOLDER / "grafana" / "dashboards" / "modyn.json").read_text())["panels"]
    return found


def expressions() -> Iterator[str]:
    """All that Prometheus is asked."""
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in panels() for target in panel.get("targets", ()))


def test_every_expression_names_metrics_that_exist() -> None:
    """In alerts and on the dashboard, with labels that they have."""
    for expression in expressions():
        selectors = re.findall(r"(modyn_\w+|process_\w+|up)(?:\{([^}]*)\})?", expression)
        assert selectors, expression
        for name, matchers in selectors:
            known = {*TARGET_LABELS, *(METRICS[name].labels if name.startswith("modyn_") else ())}
            assert set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", matchers)) <= known, expression


def test_texts_name_labels_that_there_are() -> None:
    """An alert that speaks of a role has one."""
    for rule in rules():
        first = re.match(r"\w*?\(?(modyn_\w+|up)", rule["expr"])
        assert first is not None
        known = {*TARGET_LABELS, *(METRICS[first[1]].labels if first[1] in METRICS else ())}
        assert set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))) <= known, rule["alert"]


def test_no_two_rules_have_a_name_and_no_two_panels_a_number() -> None:
    """Grafana and people tell them apart by that."""
    for names in ([rule["alert"] for rule in rules()], [panel["id"] for panel in panels()]):
        assert len(set(names)) == len(names)


def test_every_panel_asks_the_data_source_that_is_chosen() -> None:
    """Whatever it is called where the dashboard is imported."""
    for panel in panels():
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]


def test_prometheus_and_grafana_find_each_other_and_their_files_in_the_fleet() -> None:
    """Services, ports and folders are those of compose.yaml, and the supervisor's page that of the example's fleet."""
    services = yaml.safe_load((PROJECT / "docker" / "compose.yaml").read_text())["services"]
    (source,) = yaml.safe_load((FOLDER / "grafana" / "datasources" / "modyn.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((FOLDER / "grafana" / "dashboards" / "modyn.yml").read_text())["providers"]
    assert source["url"] == "http://prometheus:9090"
    assert services["prometheus"]["ports"][0].endswith(":9090")
    assert f"./monitoring/grafana/dashboards:{provider['options']['path']}:ro" in services["grafana"]["volumes"]
    (job,) = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    found = urlsplit(job["http_sd_configs"][0]["url"])
    shown = yaml.safe_load((PROJECT / "examples" / "flights" / "fleet.yaml").read_text())["metrics"]
    assert found.hostname in services
    assert shown == {"listen": f"0.0.0.0:{found.port}", "workers": "0.0.0.0:0"}


def test_names_follow_the_conventions() -> None:
    """Ours begin with modyn_, end with their unit, and none but a counter ends with _total."""
    for name, metric in METRICS.items():
        assert re.fullmatch(r"modyn_[a-z]+(_[a-z]+)*", name)
        assert not re.search(r"_(ms|us|mb|kb|count|sum|minutes|hours)$", name), name
        assert metric.meaning.endswith("."), name
    for metric in METRICS.values():
        assert not set(metric.labels) & {"run", "trigger", "slice", "task", "instance", "job"}, metric


def test_the_page_lists_every_metric_and_none_that_is_not() -> None:
    """docs/metrics.md has a row for each, with its labels, and what a scraper reads of it."""
    page = (PROJECT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `modyn_.*$", page, re.MULTILINE)
    assert sorted(rows) == sorted(map(row, METRICS.values()))


def row(metric: Metric) -> str:
    """A line of the page."""
    labels = f"{{{', '.join(metric.labels)}}}" if metric.labels else ""
    return f"| `{metric.name}{labels}` | {metric.meaning} |"


def test_promtool_takes_the_files_and_what_the_panels_ask(tmp_path: Path) -> None:
    """Where it is installed. What panels ask is made into rules, as it reads expressions of nothing else."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    subprocess.run([promtool, "check", "config", "prometheus.yml"], cwd=FOLDER, check=True)
    asked = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(asked)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    subprocess.run([promtool, "check", "rules", str(file)], check=True)

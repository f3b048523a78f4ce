"""Production: new data that is announced, and a trigger that somebody asks for."""

from __future__ import annotations

import json
from typing import Any, cast

from running import Running
from workplace import Workplace

from shared.broker import connect

STREAM = "modyn:data:rows"


def journaled(workplace: Workplace, *kinds: str) -> list[dict[str, Any]]:
    """Events of these kinds."""
    lines = (workplace.run_dir / "journal.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] in kinds]


def test_an_announced_file_is_followed_and_a_trigger_is_fired_by_hand(on_fleet: Workplace, fleet_url: str) -> None:
    """No poll is due for hours. The run is a consumer group of the stream, and none when it has stopped."""
    on_fleet.config["notification"] = {"mode": "push", "every": "9h"}
    on_fleet.pipeline |= {"initial_mode": "ignore", "trigger": {"policy": "data_amount", "every": 600}}
    with connect(fleet_url) as client, Running.pipeline(on_fleet) as run:
        run.wait_for(f"announcements on {STREAM} are heard, as group modyn:")
        run.wait_for("waiting for the first row")
        on_fleet.add_file(2)
        client.xadd(STREAM, {"dataset": "rows", "file": "part-2.parquet"})
        run.wait_for("model 0 deployed")
        assert cast(Any, client.xpending(STREAM, cast(Any, client.xinfo_groups(STREAM))[0]["name"]))["pending"] == 0
        assert run.end() == 0
        assert client.xinfo_groups(STREAM) == []
    told = journaled(on_fleet, "registered", "deregistered", "ended")
    assert [event["event"] for event in told] == ["registered", "deregistered", "ended"]

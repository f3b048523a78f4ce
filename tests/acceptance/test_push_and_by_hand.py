"""Production: new data that is announced, and triggers that somebody asks for."""

from __future__ import annotations

import json
import signal
import time
from typing import Any, cast

from running import Running
from workplace import Workplace

from shared import names
from shared.broker import connect

STREAM = names.announcements_key("rows")


def journaled(workplace: Workplace, *kinds: str) -> list[dict[str, Any]]:
    """Events of these kinds."""
    lines = (workplace.run_dir / "journal.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] in kinds]


def test_announced_files_are_followed_and_triggers_are_fired_by_hand(on_fleet: Workplace, fleet_url: str) -> None:
    """No poll is due for hours, and the policy waits for more rows than there are. A kill loses neither of both."""
    on_fleet.config["notification"] = {"mode": "push", "every": "9h"}
    on_fleet.pipeline |= {"initial_mode": "ignore", "trigger": {"policy": "data_amount", "every": 99_000}}
    with connect(fleet_url) as client:
        with Running.pipeline(on_fleet) as run:
            run.wait_for(f"announcements on {STREAM} are heard, as group modyn:")
            run.wait_for("waiting for the first row")
            told = on_fleet.tell("trigger", "run", "too early", "--json")
            assert (told.returncode, json.loads(told.stdout)["sentence"]) == (0, "No trigger: no row has come yet.")
            on_fleet.add_file(2)
            client.xadd(STREAM, {"dataset": "rows", "file": "part-2.parquet"})
            while not journaled(on_fleet, "observed"):
                time.sleep(0.05)
            told = on_fleet.tell("trigger", "run", "labels were mended")
            assert (told.returncode, told.stdout) == (0, "Trigger 0 at key 2,999: by hand: labels were mended.\n")
            run.wait_for("model 0 deployed")
            assert "no row has come since the last trigger" in on_fleet.tell("trigger", "run", "again").stdout
            run.end(signal.SIGKILL)
        on_fleet.add_file(3)
        client.xadd(STREAM, {"dataset": "rows", "file": "part-3.parquet"})
        assert on_fleet.tell("trigger", "run", "nobody is there").returncode == 3
        with Running.pipeline(on_fleet, "--resume") as run:
            run.wait_for("newest event time 1970-06-16T15:00")  # of the last row that came
            told = on_fleet.tell("trigger", "run", "once more", "--json")
            assert json.loads(told.stdout)["key"] == 3999
            run.wait_for("model 1 deployed")
            while cast(list[dict[str, Any]], client.xinfo_groups(STREAM))[0]["pending"]:
                time.sleep(0.05)
            assert run.end() == 0
        assert client.xinfo_groups(STREAM) == []
    told_of_stream = journaled(on_fleet, "registered", "deregistered", "ended")
    assert [event["event"] for event in told_of_stream] == ["registered", "registered", "deregistered", "ended"]
    assert [row["key"] for row in on_fleet.summary()["trigger_list"]] == [2999, 3999]

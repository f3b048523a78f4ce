"""A run follows a log that is appended to in pieces that end within a line: it trains on exactly what was whole."""

from __future__ import annotations

import json
import signal

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from running import Running
from workplace import Workplace, table


def test_a_log_that_is_appended_to(on_fleet: Workplace) -> None:
    """Across a kill, growth while nobody watches and a lost manifest, models are those of the whole file read once."""
    on_fleet.config["notification"] = {"every": "0.1s"}
    on_fleet.config["storage"]["datasets"]["rows"]["uri"] = "data/*.csv"
    sink = pa.BufferOutputStream()
    pa_csv.write_csv(table(2500), sink)
    lines = sink.getvalue().to_pybytes().splitlines(keepends=True)
    log, written = on_fleet.folder / "data" / "log.csv", 0

    def write(rows: int) -> None:
        """So many rows are whole; some bytes of the next are there."""
        nonlocal written
        until = sum(map(len, lines[: rows + 1])) + (9 if rows < 2500 else 0)
        with log.open("ab") as file:
            file.write(b"".join(lines)[written:until])
        written = until

    write(1100)
    with Running.pipeline(on_fleet) as run:
        run.wait_for("model 1 deployed")
        write(1600)
        run.wait_for("model 2 deployed")
        assert run.end(signal.SIGKILL) == -signal.SIGKILL
    write(2100)
    (on_fleet.folder / "runs/datasets/rows.jsonl").unlink()
    with Running.pipeline(on_fleet, "--resume") as run:
        run.wait_for("model 3 deployed")
        write(2500)
        run.wait_for("model 4 deployed")
        assert run.end() == 0
    events = [json.loads(line) for line in (on_fleet.run_dir / "journal.jsonl").read_text().splitlines()]
    found = [entry for event in events for entry in event.get("entries", [])]
    assert [entry.get("first_row", 0) for entry in found] == [0, 1100, 1600, 2100]
    assert sum(entry["rows"] for entry in found) == 2500

    on_fleet.config["artifacts"]["uri"] = "others"
    done = on_fleet.run("--experiment-mode", run_dir="again")
    assert done.returncode == 0, done.stderr
    for name in [f"models/{trigger}/model.safetensors" for trigger in range(5)]:
        assert (on_fleet.run_dir / name).read_bytes() == (on_fleet.folder / "again" / name).read_bytes(), name
    for trigger in range(5):
        keys = [
            pq.read_table(on_fleet.folder / place / f"training_sets/{trigger}.parquet") for place in ("run", "again")
        ]
        assert keys[0] == keys[1]

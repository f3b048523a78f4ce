"""Files that cannot be read, or do not fit: no end of a run that follows its dataset, and no beginning of a replay."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from receiving import listening
from running import Running
from workplace import Workplace, table

RUN_DIR = "runs/small/one"  # where `runs` looks


def spoil(workplace: Workplace) -> list[str]:
    """Files that come while a run goes on: half of one, one with a row without a label, one with another column."""
    folder = workplace.folder / "data"
    pq.write_table(table(1000, 2000), folder / ".whole")
    labels = table(1000, 3000)["label"].to_pylist()
    unlabelled = table(1000, 3000).set_column(3, "label", pa.array([*labels[:700], None, *labels[701:]]))
    pq.write_table(unlabelled, folder / ".unlabelled")
    pq.write_table(table(1000, 4000).rename_columns(["timestamp", "x0", "y1", "label"]), folder / ".other")
    (folder / ".half").write_bytes((folder / ".whole").read_bytes()[:5000])
    names = {".half": "part-2.parquet", ".unlabelled": "part-3.parquet", ".other": "part-4.parquet"}
    for hidden, name in names.items():
        (folder / hidden).rename(folder / name)
    return [str(folder / name) for name in names.values()]


def shown(workplace: Workplace, *files: str) -> bool:
    """Whether `runs` and `fleet` say that these files are not read, and no others, within the turn of a loop."""
    wanted = [file in files for file in map(str, (workplace.folder / "data").iterdir())]
    for _ in range(10):
        (run,) = json.loads(workplace.tell("runs", "config.yaml", "--json").stdout)
        fleet = workplace.tell("fleet", "config.yaml").stdout
        there = [file in fleet for file in map(str, (workplace.folder / "data").iterdir())]
        if sorted(run["not_read"]) == sorted(files) and there == wanted:
            return True
    return False


def test_bad_files_are_told_once_and_read_when_they_are_mended(on_fleet: Workplace) -> None:
    """Nothing ends; `runs`, `fleet` and a webhook tell of each; the rows come in as if they had always been whole."""
    on_fleet.config["notification"] = {"every": "0.1s"}
    with listening() as hook:
        on_fleet.config["alerts"] = [{"kind": "webhook", "url": hook.url}]
        with Running.pipeline(on_fleet, run_dir=RUN_DIR) as run:
            run.wait_for("model 3 deployed")
            half, unlabelled, other = spoil(on_fleet)
            assert {hook.wait_for("file_not_read")["file"] for _ in range(3)} == {half, unlabelled, other}
            assert shown(on_fleet, half, unlabelled, other)
            on_fleet.add_file(2)
            run.wait_for(f"{half} is read now: 1,000 rows")
            on_fleet.add_file(3)
            run.wait_for(f"{unlabelled} is read now: 1,000 rows")
            run.wait_for("model 7 deployed")
            assert shown(on_fleet, other)
            assert run.end() == 0
        warned = [line for line in run.said if "not read, and looked at again" in line]
        for file, why in ((half, "not a readable Parquet"), (unlabelled, "of row 701 is null"), (other, "column x1")):
            assert [why in line for line in warned if file in line] == [True]
        assert hook.events() == ["file_not_read"] * 3
    summary = on_fleet.summary(RUN_DIR)
    assert (summary["status"], list(summary["not_read"])) == ("stopped", [other])
    assert [row["key"] for row in summary["trigger_list"]] == [500 * (number + 1) - 1 for number in range(8)]
    manifest = (on_fleet.folder / "runs/datasets/rows.jsonl").read_text().splitlines()
    assert [Path(json.loads(line)["file"]).name for line in manifest] == [f"part-{n}.parquet" for n in range(4)]
    refused = on_fleet.run("--experiment-mode")
    assert (refused.returncode, "has no column x1" in refused.stderr) == (3, True), refused.stderr


def test_nothing_bad_is_left_out_of_a_replay(on_fleet: Workplace) -> None:
    """Exit 3 with all of it, before anything starts; `validate` says so too, and that a run which follows may start."""
    spoil(on_fleet)
    refused = on_fleet.run("--experiment-mode")
    assert (refused.returncode, on_fleet.run_dir.exists()) == (3, False), refused.stderr
    told = ["part-2.parquet is not a readable Parquet", "of row 701 is null", "part-4.parquet has no column x1"]
    assert all(what in refused.stderr for what in told), refused.stderr
    files = ("pipeline.yaml", "config.yaml")
    replayed = on_fleet.tell("validate", *files, "--experiment-mode")
    assert (replayed.returncode, all(what in replayed.stderr for what in told)) == (3, True), replayed.stderr
    followed = on_fleet.tell("validate", *files)
    assert (followed.returncode, all(what in followed.stdout for what in told)) == (0, True), followed.stdout
    assert "broker, dataset and 2 workers are ready" in followed.stdout


def test_what_a_run_would_wait_for_is_ready(on_fleet: Workplace) -> None:
    """`validate` without a file: exit 0 and a warning, as a run waits; with --experiment-mode exit 3."""
    on_fleet.config["storage"]["datasets"]["rows"]["uri"] = "nowhere"
    on_fleet.write()
    followed = on_fleet.tell("validate", "pipeline.yaml", "config.yaml")
    assert (followed.returncode, "has no rows yet; a run waits for the first" in followed.stdout) == (0, True)
    assert on_fleet.tell("validate", "pipeline.yaml", "config.yaml", "--experiment-mode").returncode == 3

"""A file that was changed does not pass unnoticed by a run that gave its rows keys, whatever became of the manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.config.system import Dataset
from shared.dataset.discovery import discover
from shared.dataset.growth import Rest
from shared.dataset.manifest import manifest_path
from shared.dataset.table import open_dataset
from supervisor.core.seen import Unread
from supervisor.run.observe.new_files import NewFiles
from supervisor.system.unread import Telling


def test_a_file_that_another_run_gave_the_same_keys_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The manifest was removed and written anew over changed rows; an added file is none of them."""
    path, root = tmp_path / "data" / "a.csv", str(tmp_path / "runs")
    path.parent.mkdir()
    path.write_text("timestamp,label,x\n" + "".join(f"2020-01-0{day},0,1\n" for day in range(1, 6)))
    config = Dataset(
        name="rows", kind="table", uri=str(path.parent), timestamp="timestamp", unit=None, label="label", features=None,
        image=None, text=None,
    )  # fmt: skip
    before = open_dataset(config, discover(config, root))
    path.write_text(path.read_text().replace("-03,0", "-03,1"))
    (tmp_path / "data/b.csv").write_text("timestamp,label,x\n2020-01-06,0,1\n")
    manifest_path(root, "rows").unlink()
    looking = NewFiles((), Unread(), Telling())
    for _ in range(2):
        looking.look(before, root, Rest())
    said = [record.getMessage() for record in caplog.records if "a.csv" in record.getMessage()]
    assert len(said) == 1
    assert f"{path} is not what it was when this run gave its rows the keys 0 to 4" in said[0]
    assert not any("b.csv" in record.getMessage() for record in caplog.records)

"""What a process knows of files is bounded by the dataset alone."""

from __future__ import annotations

from pathlib import Path

from shared.config.system import Dataset
from shared.dataset.discovery import find
from shared.dataset.memory import memories, memory_of


def test_a_look_over_many_files_forgets_none_of_them() -> None:
    """However many there are: else the next would hash all of them again."""
    first = memory_of("first", "many")
    for number in range(70_000):
        memory_of(str(number), "many")
    assert memory_of("first", "many") is first


def test_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    """Files that have keys, and those that are there, are not."""
    data = tmp_path / "data"
    data.mkdir()
    config = Dataset(
        name="rows", kind="table", uri=str(data), timestamp="time", unit="s", label="label", features=None, image=None,
        text=None,
    )  # fmt: skip
    for name, body in (("a.csv", "time,x,label\n1,1,0\n"), ("b.csv", "time\n1\n")):
        (data / name).write_text(body)
    find(config, str(tmp_path / "runs"), ())
    assert {Path(file).name for file in memories(str(data))} == {"a.csv", "b.csv"}
    (data / "b.csv").unlink()
    find(config, str(tmp_path / "runs"), ())
    assert {Path(file).name for file in memories(str(data))} == {"a.csv"}

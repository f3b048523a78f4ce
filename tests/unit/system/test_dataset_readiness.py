"""A dataset is looked at before anything is asked of it: what has to be mended, and what a run may wait for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workplace import Workplace

from shared.config.load import Configuration, load_configuration
from shared.dataset.discovery import discover
from shared.dataset.growth import Rest
from shared.errors import NotReadyError
from supervisor.system.dataset_readiness import await_rows, give_keys, ready_dataset
from supervisor.system.known_runs import note_run
from supervisor.system.unread import unfit, unreadable


@pytest.fixture
def unfilled(small: Workplace) -> Configuration:
    """A run that follows a folder that is not there yet."""
    small.config["storage"]["datasets"]["rows"]["uri"] = "arriving"
    small.config["notification"] = {"every": "0.01s"}
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    return load_configuration(*files, experiment_mode=False)


def test_the_first_rows_are_waited_for(
    small: Workplace, unfilled: Configuration, caplog: pytest.LogCaptureFixture
) -> None:
    """An absent folder, an empty one, a file without rows: the wait is told once, and ends with the first row."""
    folder, parquet = small.folder / "arriving", small.folder / "data" / "part-0.parquet"

    def happenings() -> Iterator[object]:
        yield folder.mkdir()
        yield None
        yield pq.write_table(pq.read_table(parquet).slice(0, 0), folder / "a.parquet")
        yield parquet.rename(folder / "b.parquet")

    left = happenings()
    assert await_rows(unfilled, small.folder / "manifests", lambda: next(left))
    told = [one.getMessage() for one in caplog.records]
    assert told == [f"! dataset rows has no rows yet; waiting for the first ones in {folder}, looking every 0.01 s"]
    assert not list(left)


def test_rows_that_are_there_are_not_waited_for(small: Workplace, caplog: pytest.LogCaptureFixture) -> None:
    """And nothing is said."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=False)
    assert not await_rows(configuration, small.folder / "manifests", lambda: None)
    assert not caplog.records


def test_files_that_a_changed_uri_no_longer_matches(small: Workplace) -> None:
    """They are there, so they have not vanished: the key is named, what it was and is, and what to do."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    before = load_configuration(*files, experiment_mode=True)
    discover(before.system.datasets["rows"], before.system.artifacts_root)
    run = small.folder / "elsewhere"
    run.mkdir()
    (run / "journal.jsonl").touch()
    (run / "config.yaml").write_text(before.resolved_system_yaml())
    note_run(small.folder / "runs", run)
    small.config["storage"]["datasets"]["rows"]["uri"] = "data/part-1*.parquet"
    small.write()
    with pytest.raises(NotReadyError) as caught:
        ready_dataset(load_configuration(*files, experiment_mode=True), small.folder / "manifests", follows=False)
    (told,) = caught.value.problems
    assert told.startswith("config.yaml:")
    assert "storage.datasets.rows.uri" in told
    assert f"is {small.folder}/data/part-1*.parquet and was {small.folder}/data/*.parquet" in told
    assert f"no longer matches {small.folder}/data/part-0.parquet" in told
    assert "give the dataset a new name" in told
    assert "vanished" not in told


def test_what_is_not_read_is_told_before_a_run(
    small: Workplace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each other entry of the dataset's folder, once, with the suffixes that are read."""
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "a.csv").write_text("timestamp,x,label\n2024-01-01,1,0\n")
    (folder / "b.xlsx").write_text("")
    (folder / "c.csv").symlink_to("nowhere")
    (one,) = small.config["storage"]["datasets"].values()
    one.clear()
    one.update(uri=str(folder))
    small.write()
    files = small.folder / "pipeline.yaml", small.folder / "config.yaml"
    configuration = load_configuration(*files, experiment_mode=False)
    dataset, found = ready_dataset(configuration, tmp_path / "manifests", follows=True)
    assert dataset.rows == 1
    told = [record.getMessage() for record in caplog.records]
    assert sum("b.xlsx: not read, as only *.parquet, *.csv" in line for line in told) == 1
    assert unreadable(found) == {
        f"{folder}/c.csv": f"{folder}/c.csv cannot be read, a link that leads nowhere. Mend it or take it away."
    }


GOOD = {"timestamp": ["2024-01-01", "2024-01-02"], "x": [0.5, 1.5], "label": [0, 1]}
READABLE = {
    "column.parquet": ({"timestamp": ["2024-01-01"], "label": [0]}, "has no column x; its columns are"),
    "kind.parquet": ({**GOOD, "x": ["a", "b"]}, "x is string in"),
    "label.parquet": ({**GOOD, "label": [0, None]}, "the label in label of row 2 is null"),
    "text.csv": (b"timestamp,x,label\n2024-01-01,\xff,0\n", "if it is written in another encoding than UTF-8, say so"),
    "time.parquet": ({**GOOD, "timestamp": [None, "2024-01-02"]}, "time.parquet is null. Mend that row"),
}
UNREADABLE = {
    "half.parquet": (b"PAR1 and no footer", "half.parquet is not a readable Parquet file"),
    "zeros.parquet": (bytes(1000), "zeros.parquet is not a readable Parquet file"),
}


@pytest.fixture
def rows(small: Workplace) -> Callable[..., Configuration]:
    """Writes files of the dataset, and gives the configuration that names their folder."""
    (dataset,) = small.config["storage"]["datasets"].values()
    dataset.clear()
    dataset.update(uri="rows")
    small.config["notification"] = {"every": "0.01s"}
    (small.folder / "rows").mkdir()

    def write(files: dict[str, Any], *, experiment: bool = False, **changes: Any) -> Configuration:
        for name, content in files.items():
            path = small.folder / "rows" / name
            path.write_bytes(content) if isinstance(content, bytes) else pq.write_table(pa.table(content), path)
        dataset.update(changes)
        small.write()
        return load_configuration(
            small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=experiment
        )

    return write


def test_files_that_do_not_fit_keep_no_run_that_follows_from_starting(
    rows: Callable[..., Configuration], tmp_path: Path
) -> None:
    """What fits is read; of each other file, whatever is wrong with it, the sentence is at hand."""
    bad = {name: content for name, (content, _) in {**READABLE, **UNREADABLE}.items()}
    dataset, found = ready_dataset(rows({"a.parquet": GOOD, **bad}), tmp_path / "manifests", follows=True)
    assert [Path(entry.file).name for entry in dataset.entries] == ["a.parquet"]
    told = {Path(file).name: sentence for file, sentence in {**unreadable(found), **unfit(found)}.items()}
    assert told.keys() == bad.keys()
    for name, (_, what) in {**READABLE, **UNREADABLE}.items():
        assert what in told[name]
        assert name in told[name]


def test_a_replay_wants_all_files_to_fit(rows: Callable[..., Configuration], tmp_path: Path) -> None:
    """Whatever is wrong with whichever file is told at once, also of links that lead nowhere."""
    bad = {name: content for name, (content, _) in {**READABLE, **UNREADABLE}.items()}
    configuration = rows({"a.parquet": GOOD, **bad}, experiment=True)
    (Path(configuration.system.datasets["rows"].uri) / "gone.parquet").symlink_to("nowhere")
    with pytest.raises(NotReadyError) as caught:
        ready_dataset(configuration, tmp_path / "manifests", follows=False)
    told = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == len(bad) + 1
    assert "gone.parquet cannot be read, a link that leads nowhere" in told
    assert all(what in told for _, what in (*READABLE.values(), *UNREADABLE.values()))


def test_a_replay_waits_for_files_that_are_written_to(
    rows: Callable[..., Configuration], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, with a line that says so; then an end of line that nobody has added to counts as it is."""
    caplog.set_level(logging.INFO)
    configuration = rows({"a.csv": b"timestamp,x,label\n2024-01-01,1,0\n2024-01-02,1,1"}, experiment=True)
    dataset, found = ready_dataset(configuration, tmp_path / "manifests", Rest(0.2), follows=False)
    assert (dataset.rows, found.waiting) == (2, {})
    (told,) = [one.getMessage() for one in caplog.records]
    assert told.startswith("waiting up to 0 s for files of dataset rows that end in half a line: ")
    assert give_keys(configuration, Rest(0.2), follows=False).entries[-1].stop_key == 2


def test_a_replay_leaves_out_what_is_still_written_to(
    rows: Callable[..., Configuration], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its whole rows count, and a warning names the rest."""
    configuration = rows({"a.csv": b"timestamp,x,label\n2024-01-01,1,0\n2024-01-02,1,1"}, experiment=True)
    assert give_keys(configuration, Rest(1e9), follows=False).entries[-1].stop_key == 1
    (told,) = [one.getMessage() for one in caplog.records]
    assert told.startswith("! dataset rows: left out: ")
    assert "a.csv: 14 bytes behind row 1 are no whole line and wait for their end: '2024-01-02,1,1'." in told


@pytest.mark.parametrize("follows", [True, False])
def test_no_run_begins_while_files_with_keys_are_away(
    rows: Callable[..., Configuration], tmp_path: Path, follows: bool
) -> None:
    """A run that goes on waits for them; at a start it is said what is not there."""
    configuration = rows({"a.parquet": GOOD}, experiment=not follows)
    give_keys(configuration, Rest(), follows=follows)
    folder = Path(configuration.system.datasets["rows"].uri)
    folder.rename(tmp_path / "elsewhere")
    assert not follows or not await_rows(configuration, tmp_path / "manifests", lambda: None)
    for start in (
        lambda: ready_dataset(configuration, tmp_path / "manifests", follows=follows),
        lambda: give_keys(configuration, Rest(), follows=follows),
    ):
        with pytest.raises(NotReadyError, match=f"^{folder} is not there; it holds rows that have keys"):
            start()


def test_a_bad_file_that_comes_while_workers_start_is_told(rows: Callable[..., Configuration], tmp_path: Path) -> None:
    """A replay that was found ready gives no keys beside it; who follows the dataset tells of it as ever."""
    configuration = rows({"a.parquet": GOOD}, experiment=True)
    ready_dataset(configuration, tmp_path / "manifests", follows=False)
    configuration = rows({"b.parquet": {**GOOD, "label": [0, None]}}, experiment=True)
    with pytest.raises(NotReadyError, match=r"the label in label of row 2 is null, in .*b\.parquet"):
        give_keys(configuration, Rest(), follows=False)
    assert len(give_keys(configuration, Rest(), follows=True).misfits) == 1


def test_a_dataset_without_rows_is_none_for_a_replay_only(rows: Callable[..., Configuration], tmp_path: Path) -> None:
    """Who follows it waits, also for files that cannot be read yet."""
    dataset, _ = ready_dataset(rows({"half.parquet": b"PAR1"}), tmp_path / "manifests", follows=True)
    assert dataset.rows == 0
    with pytest.raises(NotReadyError, match="half.parquet is not a readable Parquet file"):
        ready_dataset(rows({}, experiment=True), tmp_path / "manifests", follows=False)


def test_columns_that_no_file_has_are_a_mistake_in_the_configuration(
    rows: Callable[..., Configuration], tmp_path: Path
) -> None:
    """Nobody waits for files with such a column: it is told at once, as in a replay."""
    configuration = rows({"a.parquet": GOOD, "b.parquet": GOOD}, label="lable")
    assert not await_rows(configuration, tmp_path / "manifests", lambda: None)
    with pytest.raises(NotReadyError) as caught:
        ready_dataset(configuration, tmp_path / "manifests", follows=True)
    assert [problem.split("/")[-1] for problem in caught.value.problems] == [
        f"{name}.parquet has no column lable; did you mean label?" for name in ("a", "b")
    ]


def test_labels_and_times_that_no_row_has_are_a_mistake_in_the_configuration(
    rows: Callable[..., Configuration], tmp_path: Path
) -> None:
    """Lists where numbers are needed, and moments that are none; a null is a mishap, which is waited beyond."""
    lists, days = {**GOOD, "label": [[0], [1]]}, {**GOOD, "timestamp": ["a day", "another"]}
    for content, told in ((lists, "label is list.* from row 1 on"), (days, "of row 1 in .*a.parquet .*a day")):
        configuration = rows({"a.parquet": content})
        assert not await_rows(configuration, tmp_path / "manifests", lambda: None)
        with pytest.raises(NotReadyError, match=told):
            ready_dataset(configuration, tmp_path / "manifests", follows=True)
    for mishap in ({"label": [0, None]}, {"timestamp": [None, "2024-01-02"]}, {"timestamp": ["2024-01-01", None]}):
        dataset, _ = ready_dataset(rows({"a.parquet": {**GOOD, **mishap}}), tmp_path / "manifests", follows=True)
        assert dataset.rows == 0


def test_bad_first_files_are_waited_beyond(
    rows: Callable[..., Configuration], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is told once, also one that comes while others are waited for and has other columns."""
    configuration = rows({"half.parquet": b"PAR1"}, uri="rows")
    folder = Path(configuration.system.datasets["rows"].uri)

    def happenings() -> Iterator[object]:
        yield pq.write_table(pa.table({"z": [1]}), folder / "other.parquet")
        yield None
        yield pq.write_table(pa.table(GOOD), folder / "rows.parquet")

    left = happenings()
    assert await_rows(configuration, tmp_path / "manifests", lambda: next(left))
    told = [one.getMessage() for one in caplog.records]
    assert sum("not read, and looked at again:" in line and "half.parquet" in line for line in told) == 1
    assert sum("other.parquet has no column timestamp" in line for line in told) == 1
    assert sum("has no rows yet; waiting for the first ones" in line for line in told) == 1
    dataset, _ = ready_dataset(configuration, tmp_path / "manifests", follows=True)
    assert dataset.rows == 2


@pytest.mark.parametrize(
    ("uri", "told"), [("nowhere://bucket/a", "Protocol not known: nowhere. Write another one"), ("gs://b/a", "gcsfs")]
)
def test_a_place_that_nothing_here_can_open(
    rows: Callable[..., Configuration], tmp_path: Path, uri: str, told: str
) -> None:
    """The key, the value and what is missing; nobody waits for it."""
    configuration = rows({}, uri=uri)
    with pytest.raises(
        NotReadyError, match=rf"config.yaml:\d+: storage.datasets.rows.uri: {uri} cannot be opened"
    ) as no:
        ready_dataset(configuration, tmp_path / "manifests", follows=True)
    assert told in str(no.value)


def test_what_is_not_told_is_counted(rows: Callable[..., Configuration], tmp_path: Path) -> None:
    """Twenty sentences are enough to begin with."""
    configuration = rows({f"{number:02}.parquet": b"PAR1" for number in range(23)}, experiment=True)
    with pytest.raises(NotReadyError) as caught:
        ready_dataset(configuration, tmp_path / "manifests", follows=False)
    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1].startswith("… and 3 more of this dataset")

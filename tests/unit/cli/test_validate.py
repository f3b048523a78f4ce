"""What `validate` prints of a dataset, for people and for programs; here without a broker."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from workplace import Workplace, table

from shared.config.load import load_configuration
from shared.dataset.survey.understood import Label
from supervisor.cli.parser import parser
from supervisor.cli.understood import label_line, show
from supervisor.cli.validate import run
from supervisor.run.start.label_room import label_problems
from supervisor.run.start.validation import look_offline


def validated(small: Workplace, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Standard output of `validate --offline`."""
    small.write()
    files = [str(small.folder / name) for name in ("pipeline.yaml", "config.yaml")]
    assert run(parser().parse_args(["validate", *files, "--offline", *options])) == 0
    return capsys.readouterr().out


def shown(small: Workplace) -> list[str]:
    """The lines on the dataset."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    console = Console(record=True, width=200, file=io.StringIO())
    show(console, look_offline(configuration))
    return plain(console.export_text()).splitlines()


def plain(said: str) -> str:
    """Without the lines of a table and the blanks in it."""
    return "\n".join(" ".join(line.replace("│", " ").split()) for line in said.splitlines())


def test_people_see_rows_label_and_features(small: Workplace) -> None:
    """With types, nulls and what becomes of each."""
    rows = table(2000).append_column("[code]", pa.array([f"id-{row}" for row in range(2000)]))
    rows = rows.set_column(rows.column_names.index("label"), "label", pa.array([row % 25 for row in range(2000)]))
    pq.write_table(rows, small.folder / "data" / "part-0.parquet")
    (small.folder / "data" / "part-1.parquet").unlink()
    said = shown(small)
    assert said[0].startswith("dataset rows: 2,000 rows in 1 file, ")
    assert said[1] == "event time: 1970-01-01T00:00:00.000000Z to 1970-03-25T07:00:00.000000Z"
    assert said[2] == "times: timestamp (timestamp[us, tz=UTC])"
    assert said[3] == "late rows: none"
    assert said[4].startswith("label: label (int64), 25 classes: 0 4.0 % (80), 1 4.0 % (80), ")
    assert said[4].endswith(", … and 5 more")
    assert said[5] == "trigger policy: data_amount, 4 triggers on these rows"
    assert "[code] string – 2,000 different one-hot, 2,000 categories" in said


def test_a_policy_that_asks_is_told_by_its_name(small: Workplace) -> None:
    """And that nobody knows before a run when it fires."""
    small.pipeline["trigger"] = {"policy": "data_drift"}
    (line,) = [line for line in shown(small) if line.startswith("trigger policy:")]
    assert line.startswith("trigger policy: data_drift; when it fires only a run can say")


def test_late_rows(small: Workplace) -> None:
    """How many, what share, and by how much the latest; numbers that are no classes have range, mean and deviation."""
    rows = table(1000)
    times = rows.column("timestamp").to_pylist()
    times[100], times[200], times[300] = times[96], times[150], times[299]
    rows = rows.set_column(rows.column_names.index("timestamp"), "timestamp", pa.array(times))
    labels = pa.array([row / 8 for row in range(1000)])
    rows = rows.set_column(rows.column_names.index("label"), "label", labels)
    pq.write_table(rows, small.folder / "data" / "part-0.parquet")
    (small.folder / "data" / "part-1.parquet").unlink()
    said = shown(small)
    assert "late rows: 2 (0.2 %), by 2.0 d at most" in said
    assert "label: label (double), 0 to 124.875, mean 62.4375, std 36.0844" in said


def test_labels_that_are_too_many_texts() -> None:
    """Are no classes, and are counted no further."""
    label = Label(
        name="y", types=("string",), nulls=1, nulls_become="neither selected nor scored", distinct=None, minimum=None,
        maximum=None, classes=None, mean=None, std=None,
    )  # fmt: skip
    assert label_line(label) == "y (string), 1 null, which are neither selected nor scored, more than 10,000 classes"


def test_programs_get_one_object(small: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    """Its keys stand in docs/data.md; `workers` is how many were ready, null where none was asked."""
    small.pipeline["initial_mode"] = "ignore"
    found = json.loads(validated(small, capsys, "--json"))
    assert list(found) == [
        "mode", "dataset", "initial_mode", "policy", "label_delay", "triggers", "warnings", "workers", "model_checked",
    ]  # fmt: skip
    assert [found[key] for key in ("mode", "initial_mode", "policy", "triggers", "workers", "model_checked")] == [
        "production", "ignore", "data_amount", None, None, True,
    ]  # fmt: skip
    assert list(found["dataset"]) == [
        "name", "uri", "rows", "files", "pieces", "size_bytes", "first_timestamp", "last_timestamp", "late_rows",
        "late_by_s", "misdated_rows", "time", "label", "labels", "features",
    ]  # fmt: skip
    common = ["name", "types", "nulls", "nulls_become", "distinct", "minimum", "maximum"]
    assert list(found["dataset"]["label"]) == [*common, "classes", "mean", "std"]
    assert list(found["dataset"]["features"][0]) == [*common, "folder", "becomes"]
    assert (found["label_delay"], found["dataset"]["labels"]) == ({"delay_s": 0.0, "known": 2000, "waiting": 0}, None)
    assert "! " not in str(found)


@pytest.mark.parametrize(
    ("delay", "known"), [("0s", 2000), ("1h", 1999), ("7d", 2000 - 7 * 24), ("1999h", 1), ("2000h", 0), ("900d", 0)]
)
def test_labels_that_are_known_later(small: Workplace, delay: str, known: int) -> None:
    """Of how many rows they are, at the event time of the last one; nothing is said where none is late."""
    small.pipeline["data"]["label_delay"] = delay
    said = [line for line in shown(small) if line.startswith("labels:")]
    assert len(said) == (delay != "0s")
    for line in said:
        assert f"after their row (label_delay); by the last row's event time {known:,} " in line
        assert line.endswith(f"have one that is known, {2000 - known:,} wait")


def with_labels(small: Workplace, **changes: object) -> None:
    """Have the labels of 2,000 rows in a table of their own, each ten hours after its row; 100 twice, 50 never."""
    (small.folder / "labels").mkdir()
    for number in range(2):
        path = small.folder / "data" / f"part-{number}.parquet"
        rows = pq.read_table(path).append_column("id", pa.array(range(1000 * number, 1000 * (number + 1))))
        known = pc.add(rows.column("timestamp"), pa.scalar(10 * 3600, pa.duration("s")))
        labels = rows.select(["id", "label"]).append_column("known_at", known)
        pq.write_table(rows.drop(["label"]), path)
        pq.write_table(labels.slice(0, 950 if number else 1000), small.folder / f"labels/{number}.parquet")
    pq.write_table(pq.read_table(small.folder / "labels/0.parquet").slice(0, 100), small.folder / "labels/2.parquet")
    small.config["storage"]["datasets"]["rows"]["labels"] = {"uri": "labels", "key": ["id"], **changes}


def test_labels_in_a_table_of_their_own(small: Workplace) -> None:
    """How many there are, of which keys, and how many rows have one now, wait for theirs, or have none."""
    with_labels(small)
    said = shown(small)
    at = next(number for number, line in enumerate(said) if line.startswith("label: "))
    assert said[at].startswith("label: label (int64), of rows that have one, 2 classes: ")
    assert said[at + 1].startswith("labels: 2,050 rows in 3 files, ")
    assert said[at + 1].endswith(", known_at 1970-01-01T10:00:00.000000Z to 1970-03-23T15:00:00.000000Z")
    assert said[at + 2] == "known_at: known_at (timestamp[us, tz=UTC])"
    assert said[at + 3] == (
        "keys of labels: 1,950 different in id, 100 of the labels have the key of another (0 correct it)"
    )
    assert said[at + 4] == (
        "rows with a label: 1,950 (97.5 %) have one that is known by the last row's event time, 50 have none"
    )
    assert not any(line.startswith("id ") for line in said), "a key is no feature"


def test_programs_see_the_table_of_labels(small: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    """All that is counted; how many are given up needs `patience`."""
    with_labels(small, patience="1d")
    found = json.loads(validated(small, capsys, "--json", "--experiment-mode"))
    table = found["dataset"]["labels"]
    assert list(table) == [
        "uri", "key", "rows", "files", "pieces", "size_bytes", "first_known_at", "last_known_at", "time",
        "patience_s", "keys", "repeated", "corrected", "null_labels", "null_keys", "without_row", "labelled",
        "waiting", "too_late", "unlabelled", "given_up", "early",
    ]  # fmt: skip
    numbers = {name: table[name] for name in ("labelled", "waiting", "too_late", "unlabelled", "given_up", "early")}
    assert numbers == {
        "labelled": 1950, "waiting": 0, "too_late": 0, "unlabelled": 50, "given_up": 25, "early": 0,
    }  # fmt: skip
    assert (table["patience_s"], found["label_delay"], found["triggers"], found["warnings"]) == (86_400, None, 4, [])
    assert found["dataset"]["label"]["nulls"] == 50


def test_no_label_yet(small: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that follows its dataset may begin so; an experiment may not, which offline is a warning."""
    with_labels(small)
    for file in (small.folder / "labels").iterdir():
        file.unlink()
    (small.folder / "labels/bad.csv").write_text("id,label,known_at\n1,0,1970-01-01\n2,0,\n")
    said = validated(small, capsys)
    assert "rows with a label: 0 have one that is known by the last row's event time, 2,000 have none" in said
    assert (
        "\n! not read, and looked at again while a run goes on: dataset rows.labels: the timestamp in known_at" in said
    )
    (small.folder / "labels/bad.csv").unlink()
    assert "\n! In experiment mode no label comes later, and without one nothing can be trained." in validated(
        small, capsys, "--experiment-mode"
    )


def test_a_dataset_that_is_not_there_is_no_mistake_offline(
    small: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    """The two files are right; what is wrong with the rows is said nevertheless."""
    for file in (small.folder / "data").iterdir():
        file.unlink()
    found = json.loads(validated(small, capsys, "--json"))
    assert found["dataset"] is None
    assert found["warnings"][0].startswith("dataset rows: no file matches ")


def test_a_dataset_elsewhere_is_not_looked_at(small: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    """`--offline` asks no other machine."""
    small.config["storage"]["datasets"]["rows"]["uri"] = "memory://rows/"
    assert "\n! dataset rows: not looked at, as memory://rows/ is on no disk of this machine." in validated(
        small, capsys
    )


@pytest.mark.parametrize(
    ("labels", "classes", "told"),
    [
        (
            ["a", "b", "c"],
            None,
            "are of 3 classes, 'a', 'b', 'c', but the model tells 2 apart. Set num_classes to 3, n",
        ),
        (["a", "b", "c"], ["a", "b"], "include 'c', which `classes` does not name. Name it there, or mend the rows."),
        ([0, 1, 2], None, "go up to 2, but the model knows the classes 0 to 1. Set num_classes to 3, name another `la"),
        ([0.0, 1.0, 7.0], None, "go up to 7, but the model knows the classes 0 to 1. Set num_classes to 8, name anoth"),
        ([0, 1, -1], None, "begin at -1, but classes are numbered from 0 on. Number them so, or mend the rows."),
        ([0.0, 1.0, 0.5], None, "are not all whole numbers, as numbers of classes are. Choose a loss such as MSELoss."),
        (["a", "b", "a"], None, None),
        ([True, False, True], None, None),
        ([0, 1, 1], ["no", "yes"], None),
    ],
)
def test_labels_that_a_model_has_no_room_for_are_told(
    small: Workplace, labels: list[object], classes: list[str] | None, told: str | None
) -> None:
    """As workers would say it, whom `--offline` does not ask: all labels were read."""
    label_with(small, labels)
    if classes is not None:
        small.config["storage"]["datasets"]["rows"]["classes"] = classes
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    configuration = load_configuration(*files, experiment_mode=True)
    label = look_offline(configuration).dataset.label
    found = list(label_problems(configuration.pipeline, configuration.system.datasets["rows"], label))
    about = [one.removeprefix("dataset rows: the labels in label ") for one in found]
    assert [one[: len(told or "")] for one in about] == ([told] if told else [])


def test_too_many_classes_are_a_warning_offline(small: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    """There it keeps nobody from anything."""
    label_with(small, ["a", "b", "c"])
    assert "! dataset rows: the labels in label are of 3 classes, 'a', 'b', 'c'," in validated(small, capsys)


def label_with(small: Workplace, labels: list[object]) -> None:
    """Have 999 rows with these labels, for a model of two classes."""
    rows = table(999)
    rows = rows.set_column(rows.column_names.index("label"), "label", pa.array(labels * 333))
    pq.write_table(rows, small.folder / "data" / "part-0.parquet")
    (small.folder / "data" / "part-1.parquet").unlink()
    small.pipeline["model"]["config"]["num_classes"] = 2


def in_october(small: Workplace) -> None:
    """Rows each half hour of a day on which the clocks of Zurich are set back, as people write dates."""
    for file in (small.folder / "data").iterdir():
        file.unlink()
    lines = [f"27/10/2024 {row // 2:02}:{row % 2 * 30:02},{row * 7 % 5},{row % 2}\n" for row in range(48)]
    (small.folder / "data" / "a.csv").write_text("date,x,label\n" + "".join(lines))
    said = {"column": "date", "format": "%d/%m/%Y %H:%M", "zone": "Europe/Zurich"}
    small.config["storage"]["datasets"]["rows"] |= {"uri": "data", "timestamp": said}


def test_how_times_were_read(small: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    """Column, format, zone, and how many local times occur twice or never."""
    in_october(small)
    found = json.loads(validated(small, capsys, "--json"))["dataset"]
    assert found["time"] == {
        "column": "date", "types": ["string"], "unit": None, "format": "%d/%m/%Y %H:%M", "zone": "Europe/Zurich",
        "twice": 2, "never": 0,
    }  # fmt: skip
    assert found["first_timestamp"] == "2024-10-26T22:00:00.000000Z"
    read = 'times: date (string) as "%d/%m/%Y %H:%M", in Europe/Zurich where they name no zone; 2 occur twice'
    assert f"{read} and are taken for the earlier" in shown(small)


def test_the_format_that_is_missing_is_offered(small: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    """With the first row that is not read; once it is written, all are read."""
    in_october(small)
    small.config["storage"]["datasets"]["rows"]["timestamp"] = "date"
    (told,) = json.loads(validated(small, capsys, "--json"))["warnings"]
    assert "the timestamp in date of row 1 in " in told
    assert "a.csv is '27/10/2024 00:00', which is no ISO 8601 time" in told
    offered = (
        '"%d/%m/%Y %H:%M" reads all 48 values looked at: say `timestamp: {column: date, format: "%d/%m/%Y %H:%M"}`'
    )
    assert offered in told

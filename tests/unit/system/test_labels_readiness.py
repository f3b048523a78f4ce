"""A table of labels is looked at before a run, as rows are: what has to be mended, and what a run may wait for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from late_labels import LABELS, ROWS, LateLabels
from workplace import Workplace

from shared.dataset.growth import Rest
from shared.dataset.manifest import manifest_path, read_manifest
from shared.errors import NotReadyError
from supervisor.run.directory import RunDirectory
from supervisor.system.known_runs import note_run
from supervisor.system.tables import Tables, ready_tables, tables_with_keys
from supervisor.system.unread import Telling, unfit


@pytest.fixture
def make(small: Workplace) -> Callable[..., LateLabels]:
    """A dataset with two rows and these files of labels."""

    def of(labels: dict[str, Any], *, experiment: bool = False) -> LateLabels:
        late = LateLabels(small, experiment=experiment)
        late.write("rows/a.csv", ROWS)
        for name, content in labels.items():
            late.write(f"labels/{name}", content)
        return late

    return of


def ready(late: LateLabels) -> Tables:
    """Both tables, as a run looks at them before it begins. Raises NotReadyError."""
    configuration = late.configuration()
    return ready_tables(configuration, late.folder / "copies", Rest(), Telling(), follows=not late.experiment)


def refused(late: LateLabels) -> str:
    """What is wrong, exit 3."""
    with pytest.raises(NotReadyError) as caught:
        ready(late)
    assert caught.value.exit_code == 3
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize("experiment", [True, False])
def test_labels_that_can_be_used(make, experiment):
    """Their positions are those of a copy, until a run makes them last."""
    late = make({"a.csv": LABELS, "b.csv": LABELS}, experiment=experiment)
    labels = ready(late).labels
    assert labels is not None
    assert labels.dataset.rows == 4
    path = manifest_path(late.root, "rows.labels")
    assert read_manifest(path) == ()
    kept = tables_with_keys(late.configuration(), Rest(), follows=not experiment)
    assert kept.labels is not None
    assert [one.first_key for one in read_manifest(path)] == [0, 2]
    assert kept.labels.dataset.entries == read_manifest(path)


def test_no_label_yet(make):
    """A run that follows its dataset waits for them; in an experiment nothing could be trained."""
    labels = ready(make({})).labels
    assert labels is not None
    assert labels.dataset.rows == 0


@pytest.mark.parametrize("labels", [{}, {"a.csv": b"id,label,known_at\n"}])
def test_an_experiment_without_labels(make, labels):
    """The table, where it was looked for, and why that is no use."""
    late = make(labels, experiment=True)
    told = refused(late)
    assert told.startswith(f"dataset rows.labels: {'' if labels else 'no file matches '}{late.folder}/labels")
    assert told.endswith("In experiment mode no label comes later, and without one nothing can be trained.")


def test_labels_that_do_not_fit(make):
    """An experiment wants all to; a run that follows them reads the others."""
    bad = b"id,label,known_at\n1,0,2024-01-05\n2,1,\n"
    late = make({"a.csv": LABELS, "bad.csv": bad})
    labels = ready(late).labels
    assert labels is not None
    assert labels.dataset.rows == 2
    (told,) = unfit(labels.found).values()
    assert f"the timestamp in known_at of row 2 in {late.folder}/labels/bad.csv is null" in told
    late.experiment = True
    assert told in refused(late)


@pytest.mark.parametrize("experiment", [True, False])
def test_keys_that_can_never_be_equal(make, experiment):
    """A number here and a text there: nobody waits for labels that no row would find."""
    late = make({"a.csv": LABELS.replace(b"\n1,", b"\none,")}, experiment=experiment)
    told = refused(late)
    assert f"dataset rows.labels: id is string in {late.folder}/labels/a.csv, but int64 among the rows" in told


def test_labels_of_another_run_whose_keys_differ(make):
    """They have positions, which do not go away: that is told as well."""
    late = make({"a.csv": LABELS})
    tables_with_keys(late.configuration(), Rest(), follows=True)
    (late.folder / "rows/a.csv").write_bytes(ROWS.replace(b",1,", b",one,"))
    manifest_path(late.root, "rows").unlink()
    assert "id is int64 in" in refused(late)


def test_a_column_that_no_file_of_labels_has(make):
    """It is config.yaml that is wrong."""
    late = make({"a.csv": LABELS.replace(b"known_at", b"closed")})
    assert "labels/a.csv has no column known_at; its columns are id, label, closed." in refused(late)


def test_a_changed_uri_of_labels(make):
    """The key is named, what it was and is."""
    late = make({"a.csv": LABELS})
    configuration = late.configuration()
    tables_with_keys(configuration, Rest(), follows=True)
    run = RunDirectory(late.folder / "run")
    run.create(configuration)
    (run.path / "journal.jsonl").touch()
    note_run(Path(late.root), run.path)
    late.place.config["storage"]["datasets"]["rows"]["labels"]["uri"] = "elsewhere"
    told = refused(late)
    run.release()
    assert "storage.datasets.rows.labels.uri: is " in told
    assert f"is {late.folder}/elsewhere and was {late.folder}/labels: it no longer matches" in told


def test_labels_in_a_place_that_nothing_here_can_open(make):
    """The key, the value and what is missing."""
    late = make({})
    late.place.config["storage"]["datasets"]["rows"]["labels"]["uri"] = "nowhere://bucket/a"
    told = refused(late)
    assert "storage.datasets.rows.labels.uri: nowhere://bucket/a cannot be opened: Protocol not known" in told


def test_no_run_begins_while_labels_with_positions_are_away(make):
    """As with rows that have keys."""
    late = make({"a.csv": LABELS})
    tables_with_keys(late.configuration(), Rest(), follows=True)
    (late.folder / "labels").rename(late.folder / "elsewhere")
    assert f"{late.folder}/labels is not there; it holds rows that have keys" in refused(late)
    with pytest.raises(NotReadyError, match="labels is not there"):
        tables_with_keys(late.configuration(), Rest(), follows=True)

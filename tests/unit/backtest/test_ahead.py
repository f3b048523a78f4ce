"""What a grid will come to is told, and refused where it is of no use, before any of its models is trained."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from kinds_of_labels import in_a_table
from workplace import Workplace, table

from shared.errors import ConfigurationError
from shared.temporary import scratch_folder
from supervisor.backtest.ahead import Ahead, ahead_of, refuse_useless, trainings_ahead
from supervisor.backtest.grid.grid_runs import planned_grid
from supervisor.backtest.grid.policies_file import Policies, load_policies
from supervisor.backtest.replaying.recording import Recording, open_recording
from supervisor.run.start.first_events import Scope


@pytest.fixture
def place(small: Workplace) -> Workplace:
    """2,000 rows an hour apart, and a pipeline whose models depend on rows alone."""
    small.pipeline["training"]["use_previous_model"] = False
    small.pipeline["strategy"] = {"name": "all_data"}
    return small


def looked(place: Workplace, every: object, strategies: str = "[]") -> tuple[Policies, Recording, Ahead]:
    """Ahead, at a grid of this clock."""
    place.write()
    text = f"grid:\n  every: {every}\n  strategies: {strategies}\npolicies: {{weekly: {{policy: time, every: 7d}}}}\n"
    (place.folder / "POLICIES.yaml").write_text(text)
    files = place.folder / "pipeline.yaml", place.folder / "config.yaml"
    policies = load_policies(place.folder / "POLICIES.yaml", *files)
    clock = planned_grid(policies, files, ())[0].configuration.pipeline.trigger
    with scratch_folder("found") as folder:
        recording = open_recording(policies.configuration, Scope(experiment=True), folder)
        return policies, recording, ahead_of(clock, recording)


def in_words(place: Workplace, first_c: int, rows: int = 500) -> None:
    """Text labels of which the third is first met at a key."""
    for file in (place.folder / "data").iterdir():
        file.unlink()
    labels = ["c" if key >= first_c and key % 5 == 0 else "ab"[key % 2] for key in range(rows)]
    pq.write_table(table(rows).set_column(3, "label", [labels]), place.folder / "data" / "rows.parquet")
    place.pipeline["model"]["config"]["num_classes"] = 3


@pytest.mark.parametrize(("few", "too_many"), [(1999, 2000), ("1999h", "2000h"), ("83d", "84d")])
def test_a_grid_longer_than_the_stream_is_refused(place: Workplace, few: object, too_many: object) -> None:
    """There must be a model, and a row behind it."""
    refuse_useless(*looked(place, few))
    told = rf"^POLICIES.yaml:2: grid.every: {too_many} leaves no row behind .* 2,000 rows, from 1970-01-01 00:"
    with pytest.raises(ConfigurationError, match=told):
        refuse_useless(*looked(place, too_many))


def test_classes_that_come_behind_the_first_model_are_refused(place: Workplace) -> None:
    """Before their models are trained, which `classes` would make models of another dataset."""
    in_words(place, first_c=200)
    told = (
        r"config.yaml:\d+: storage.datasets.rows: the first model of the grid knows 2 of 3 classes; 'c' comes later,"
        r".* write `classes: \[a, b, c\]` here\.$"
    )
    with pytest.raises(ConfigurationError, match=told):
        refuse_useless(*looked(place, 150))
    place.config["storage"]["datasets"]["rows"]["classes"] = ["a", "b", "c"]
    refuse_useless(*looked(place, 150))


@pytest.mark.parametrize(("first_c", "delay"), [(100, "0s"), (455, "0s"), (445, "20h")])
def test_classes_that_no_later_training_meets_are_no_matter(place: Workplace, first_c: int, delay: str) -> None:
    """All are there at the first trigger, or known only behind the last."""
    in_words(place, first_c)
    if delay != "0s":
        place.pipeline["data"]["label_delay"] = delay
    refuse_useless(*looked(place, 150))


def test_with_labels_that_come_late_the_first_model_knows_less(place: Workplace) -> None:
    """The class stands before the trigger, and is known behind it."""
    in_words(place, first_c=140)
    refuse_useless(*looked(place, 150))
    place.pipeline["data"]["label_delay"] = "20h"
    with pytest.raises(ConfigurationError, match="knows 2 of 3 classes"):
        refuse_useless(*looked(place, 150))


@pytest.mark.parametrize(
    ("every", "strategies", "told"),
    [
        ("7d", "[{name: latest, limit: 90}]", "11 models, one every 7d, for each of 2 strategies: 22 trainings"),
        (7, "[]", "285 trainings, one every 7 rows"),
        ("83d", "[]", "1 training, one every 83d"),
    ],
)
def test_it_says_how_many_trainings_are_coming(place: Workplace, every: object, strategies: str, told: str) -> None:
    """So that a number of rows that was meant as days is noticed."""
    policies, _, ahead = looked(place, every, strategies)
    assert trainings_ahead(policies, ahead) == f"grid: {told}"


def test_triggers_without_a_label_train_nothing(place: Workplace) -> None:
    """The first looks come before the first label."""
    place.pipeline["data"]["label_delay"] = "20d"
    policies, _, ahead = looked(place, "7d")
    assert trainings_ahead(policies, ahead) == "grid: 9 trainings, one every 7d"


def test_a_table_of_labels_may_leave_a_trigger_nothing(tmp_path: Path) -> None:
    """So that there are no more than that."""
    small = in_a_table(tmp_path / "b", "texts")
    small.pipeline["training"]["use_previous_model"] = False
    small.pipeline["strategy"] = {"name": "all_data"}
    policies, recording, ahead = looked(small, 90)
    refuse_useless(policies, recording, ahead)
    assert trainings_ahead(policies, ahead) == "grid: at most 7 trainings, one every 90 rows"

"""Classes that have names are numbered by the dataset and the first trigger, whoever counts them, and from where."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.class_names import ClassNames, told
from shared.config.pipeline import Model
from shared.config.system import Dataset, Nulls
from shared.dataset.discovery import discover
from shared.dataset.problems import problems
from shared.dataset.table import open_dataset
from shared.errors import RowError
from workers.features.class_names import LaterClasses, first_rows, names_up_to, room_of
from workers.features.labels import NamedLabels, class_labels

LABELS = [*"bbabab", None, *"abcacb", " b", None, "", *"daeb", "é", *"af"]


def dataset_of(folder, *files, classes=None, drops=True):
    """A dataset of these label columns, each in a file of its own."""
    (folder / "data").mkdir()
    first = 0
    for number, labels in enumerate(files):
        times = np.arange(first, first + len(labels))
        table = pa.table({"time": times, "label": labels})
        pq.write_table(table, folder / "data" / f"{number}.parquet", row_group_size=4 + len(labels) // 10)
        first += len(labels)
    config = Dataset(
        name="rows", kind="table", uri=f"{folder}/data", timestamp="time", unit="s", label="label", features=None,
        image=None, text=None, classes=classes, nulls=Nulls(labels="drop" if drops else "refuse"),
    )  # fmt: skip
    return open_dataset(config, discover(config, str(folder)))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """The labels above in three files: plain, a dictionary, and large."""
    parts = [
        pa.array(LABELS[:9]),
        pa.array(LABELS[9:15]).dictionary_encode(),
        pa.array(LABELS[15:], pa.large_string()),
    ]
    return dataset_of(tmp_path_factory.mktemp("rows"), *parts)


def by_hand(first_labelled_key, key, room):
    """The rule, row by row."""
    names = sorted({one for one in LABELS[: first_labelled_key + 1] if one is not None})[:room]
    for one in LABELS[first_labelled_key + 1 : key + 1]:
        if one is not None and one not in names and len(names) < room:
            names.append(one)
    return tuple(names)


keys = st.lists(st.integers(0, len(LABELS) - 1), min_size=1, max_size=6).map(sorted)


@given(keys=keys, room=st.integers(1, 12))
def test_the_numbers_do_not_depend_on_who_counts_and_from_where(dataset, keys, room):
    """Trigger by trigger, or at once: sorted up to the first one, then in the order of keys, as long as there is room.

    Blanks and empty texts are kept as they are; nulls are no class, whatever `nulls:` says of them.
    """
    known = None
    for key in keys:
        at_once = names_up_to(dataset, key + 1, None, keys[0], room)
        known = names_up_to(dataset, key + 1, known, keys[0], room)
        assert known == at_once == ClassNames(names=by_hand(keys[0], key, room), until=key)


@given(
    asked=st.lists(st.tuples(keys.map(lambda some: (some[0], some[-1])), st.integers(1, 12)), max_size=6),
    first=st.integers(0, len(LABELS) - 1),
)
def test_a_process_that_has_met_rows_finds_the_same_classes_again(dataset, asked, first):
    """Whichever models it was asked about before, and in which order."""
    later = LaterClasses()
    for (until, key), room in asked:
        if until >= first:
            names = ClassNames(names=by_hand(first, until, room), until=until)
            assert later.of(names, room, dataset, key + 1).names == by_hand(first, key, room)


def test_rows_of_another_dataset_are_not_mixed_up(dataset, tmp_path):
    """A process that does work for several runs begins anew."""
    later, names = LaterClasses(), ClassNames(names=(), until=-1)
    other = dataset_of(tmp_path, ["z", "y", "x"])
    assert later.of(names, 9, dataset, 3).names == ("b", "a")
    assert later.of(names, 9, other, 3).names == ("z", "y", "x")
    assert later.of(names, 9, dataset, 13).names == ("b", "a", "c")


def test_classes_that_are_listed_are_all(tmp_path):
    """In the order of the list; for numbers they are what these are called."""
    (tmp_path / "texts").mkdir()
    texts = dataset_of(tmp_path / "texts", ["x", "b"], classes=("b", "a"))
    assert names_up_to(texts, 2, None, 0, 9) == ClassNames(names=("b", "a"), until=None)
    assert LaterClasses().of(ClassNames(names=("b",), until=0), 9, texts, 2).names == ("b",)
    numbers = dataset_of(tmp_path, [True, False], classes=("no", "yes"))
    assert names_up_to(numbers, 2, None, 0, 9) == ClassNames(names=("no", "yes"), until=None, texts=False)


@pytest.mark.parametrize(
    ("ending", "rows"),
    [
        ("csv", ("time,label\n0,no\n1,yes\n2,no\n", "label,time\n7,3\nno ,4\n")),
        (
            "jsonl",
            ('{"time": 0, "label": "no"}\n{"time": 1, "label": "yes"}\n', '{"time": 2, "label": ""}\n'
             '{"label": "7", "time": 3}\n{"label": "no ", "time": 4}\n'),
        ),
    ],
)  # fmt: skip
def test_text_files_have_names_of_classes(tmp_path, ending, rows):
    """Where the first file has texts, digits are texts too; an empty text of JSON lines is one."""
    (tmp_path / "data").mkdir()
    for number, text in enumerate(rows):
        (tmp_path / "data" / f"{number}.{ending}").write_text(text)
    config = Dataset(
        name="rows", kind="table", uri=f"{tmp_path}/data", timestamp="time", unit="s", label="label", features=None,
        image=None, text=None,
    )  # fmt: skip
    dataset = open_dataset(config, discover(config, str(tmp_path)))
    assert problems(dataset) == []
    empty = ("",) if ending == "jsonl" else ()
    assert names_up_to(dataset, 5, None, 1, 9).names == ("no", "yes", *empty, "7", "no ")


@pytest.mark.parametrize("labels", ["no,yes,no,yes", "0,1,0,1", "true,false,true,false"])
def test_an_empty_cell_is_no_label_whatever_the_others_are(tmp_path, labels):
    """In a CSV; nor is one that says that there is none. `nulls:` refuses or drops such rows, and none is a class."""
    (tmp_path / "data").mkdir()
    cells = [*labels.split(","), "", "NA", "NaN", "null", '""']
    (tmp_path / "data" / "a.csv").write_text("time,label\n" + "".join(f"1,{cell}\n" for cell in cells))
    config = Dataset(
        name="rows", kind="table", uri=f"{tmp_path}/data", timestamp="time", unit="s", label="label", features=None,
        image=None, text=None,
    )  # fmt: skip
    (told,) = problems(open_dataset(config, discover(config, str(tmp_path))))
    assert "the label in label of key 4 is null" in told
    assert "nulls: {labels: drop}" in told
    config = msgspec.structs.replace(config, nulls=Nulls(labels="drop"))
    dataset = open_dataset(config, discover(config, str(tmp_path)))
    assert problems(dataset) == []
    names = names_up_to(dataset, 9, None, 1, 9)
    labels = NamedLabels(dataset, names.names, 9) if names else dataset
    assert np.isnan(labels.labels(0, 9)).tolist() == [False] * 4 + [True] * 5


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_label_is_told_as_one(tmp_path, blank):
    """What reads as no label, and is a text all the same, has a remedy of its own."""
    known = ClassNames(names=("no", "yes"), until=1, texts=True)
    with pytest.raises(RowError, match=r"The label at key 3 is blank.*nulls: \{labels: drop\}"):
        class_labels(pa.array(["no", blank]), "label", np.array([2, 3]), 2, known)


def test_numbers_have_no_names_unless_they_are_listed(tmp_path):
    """Nothing is read then."""
    assert names_up_to(dataset_of(tmp_path, [1, 0]), 2, None, 0, 9) is None


def test_what_labels_are_says_the_first_that_is_there(tmp_path):
    """A file that holds nulls alone says nothing; numbers behind texts are refused by key."""
    dataset = dataset_of(tmp_path, pa.nulls(2), ["b", "a"], [1, 2])
    assert dataset.has_text_labels
    assert names_up_to(dataset, 4, None, 3, 9).names == ("a", "b")
    with pytest.raises(RowError, match="'label' is int64 from key 4 on, where the classes have names"):
        names_up_to(dataset, 6, None, 3, 9)


def test_a_column_of_all_different_texts_is_no_label(tmp_path):
    """It is told before memory is full of them."""
    dataset = dataset_of(tmp_path, [f"row {number}" for number in range(100_001)])
    with pytest.raises(RowError, match="more than 100,000 different texts up to key 100000. Is that the column"):
        first_rows(dataset, 0, 100_001)


@pytest.mark.parametrize(
    ("config", "room"),
    [({"num_classes": 3}, 3), ({"num_classes": 1}, 2), ({}, 100_000), ({"num_classes": "x"}, 100_000)],
)
def test_how_many_classes_there_is_room_for(config, room):
    """One output tells two apart; a model that says no number may have as many as there are."""
    assert room_of(Model(id="mlp", framework="pytorch", config=config, pretrained_uri=None)) == room


@pytest.mark.parametrize(
    ("labels", "known", "classes", "told"),
    [
        (
            ["no", "so"],
            ClassNames(names=("no", "yes"), until=9),
            2,
            "key 11 is 'so'.*'no', 'yes'. Set num_classes to 3",
        ),
        (
            ["no", "so"],
            ClassNames(names=("no", "yes"), until=9),
            3,
            "key 11 is 'so'.*Use a model that was trained with",
        ),
        (["no ", "so"], ClassNames(names=("no",), until=None), 2, "key 10 is 'no '.*Name it under `classes`"),
        (["no", None], ClassNames(names=("no",), until=9), 2, "null at key 11"),
        (
            [0, 1],
            ClassNames(names=("no",), until=9),
            2,
            "'label' is int64 from key 10 on, where the classes have names",
        ),
        (
            [0, 2],
            ClassNames(names=("no", "so"), until=None, texts=False),
            3,
            "key 11 is 2, but `classes` names 0 to 1. Name it there",
        ),
        ([0, 2], ClassNames(names=("a", "b", "c"), until=None, texts=False), 2, "key 11 is 2.*Set num_classes to 3"),
    ],
)
def test_labels_that_are_none_of_the_classes(labels, known, classes, told):
    """Key, label, the classes that are known, and the remedy."""
    with pytest.raises(RowError, match=told):
        class_labels(pa.array(labels), "label", np.arange(10, 12), classes, known)


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string()])
def test_texts_are_numbers_by_the_names_of_classes(type_):
    """In any type of texts; no rows are no labels."""
    known = ClassNames(names=("no", "yes", "so"), until=9)
    assert class_labels(pa.array(["yes", "no"], type_), "label", np.arange(2), 3, known).tolist() == [1, 0]
    assert class_labels(pa.array([], type_), "label", np.arange(0), 3, known).tolist() == []


def test_baselines_count_what_no_model_has_room_for_as_one_class_more(dataset):
    """Behind all that may get a name; a row that is dropped has no number."""
    found = NamedLabels(dataset, ("a", "b"), room=4).labels(0, 16)
    expected = [{"a": 0, "b": 1, None: np.nan}.get(one, 4) for one in LABELS[:16]]
    assert np.array_equal(found, expected, equal_nan=True)
    assert NamedLabels(dataset, ("a", "b"), room=4).labels(0, 4).dtype == np.int64


def test_many_names_are_told_shortly():
    """A few, and how many there are."""
    assert told(("no", "yes")) == "'no', 'yes'"
    assert told([str(number) for number in range(1000)]) == (
        "'0', '1', '2', '3', '4', '5', '6', '7', '8', '9' … (1,000 in all)"
    )

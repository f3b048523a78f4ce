"""Strategies choose exactly the rows they promise, and never one outside the train split."""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config.pipeline import Named, Split
from shared.config.system import Dataset, Nulls
from shared.dataset.discovery import discover
from shared.dataset.table import ROWS_AT_ONCE, TableDataset, open_dataset
from shared.errors import DataError, TrainingError
from shared.messages.reports import Chosen
from shared.messages.tasks import Watermarks
from shared.split import rows_in_split, splitmix64
from shared.strategies.memories.kept.reservoir import Reservoir
from shared.strategies.state import read_state, state_bytes
from tests.support.selecting import select
from tests.unit.strategies.asked import named
from workers.selection.known import Known
from workers.selection.reader import Reader, Source
from workers.selection.select import Memory

ROWS = 300
EVERYTHING = Split(test=0.0, validation=0.0, by=None)
splits = st.builds(Split, test=st.floats(0, 0.4), validation=st.floats(0, 0.4), by=st.sampled_from([None, "carrier"]))
ALL_DATA = Named(name="all_data", options={})


def remembering(limit):
    """That of tests/support/remembering.py."""
    return Named(name="remembering", options={"limit": limit})


def new_data(tail):
    """The strategy of that name."""
    return Named(name="new_data", options={"tail": tail})


def config_of(folder):
    """A dataset of all files in a folder."""
    return Dataset(
        name="flights", kind="table", uri=str(folder), timestamp="time", unit="s", label="label", features=None,
        image=None, text=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """300 rows in two files."""
    folder = tmp_path_factory.mktemp("data")
    table = pa.table({"time": range(ROWS), "carrier": [f"c{key % 7}" for key in range(ROWS)], "label": [0] * ROWS})
    pq.write_table(table.slice(0, 130), folder / "a.parquet")
    pq.write_table(table.slice(130), folder / "b.parquet")
    config = config_of(folder)
    return open_dataset(config, discover(config, str(tmp_path_factory.mktemp("runs"))))


@pytest.fixture(scope="module")
def with_nulls(tmp_path_factory):
    """300 rows, of which each whose key is a multiple of 11 has no label; such rows are dropped."""
    folder = tmp_path_factory.mktemp("nulls")
    labels = pa.array([key % 2 if key % 11 else None for key in range(ROWS)])
    table = pa.table({"time": range(ROWS), "carrier": [f"c{key % 7}" for key in range(ROWS)], "label": labels})
    pq.write_table(table, folder / "a.parquet", row_group_size=64)
    config = Dataset(
        name="flights", kind="table", uri=str(folder), timestamp="time", unit="s", label="label", features=None,
        image=None, text=None, nulls=Nulls(labels="drop"),
    )  # fmt: skip
    return open_dataset(config, discover(config, str(tmp_path_factory.mktemp("runs"))))


def known(key, earlier=(), first_key=0):
    """What is known at a trigger whose labels are known with their rows."""
    previous = tuple(Watermarks(key=one, labelled_key=one) for one in earlier)
    return Known(first_key=first_key, previous=previous, trigger_id=0, trigger_key=key, labelled_key=key)


def replay(dataset, strategy, split, every):
    """The training sets of a stream that triggers every so many rows."""
    triggers = list(range(every - 1, ROWS, every))
    requests = [known(key, triggers[:number]) for number, key in enumerate(triggers)]
    return [select(strategy, request, dataset, split) for request in requests]


def train_keys(split, stop_key):
    """The train split, from the definition, one key at a time."""
    kept = []
    for key in range(stop_key):
        seed = np.array([key], np.uint64) if split.by is None else seeds_by_hand(f"c{key % 7}")
        kept += [key] * int((splitmix64(seed)[0] >> np.uint64(11)) / 2.0**53 >= split.test + split.validation)
    return kept


def seeds_by_hand(text):
    """The seed of one group."""
    return np.array([int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")], np.uint64)


@given(split=splits, every=st.integers(20, ROWS))
def test_new_data_covers_the_train_split_once(dataset, split, every):
    """Training sets are disjoint and together are the train split up to the last trigger."""
    keys = np.concatenate([chosen.keys for chosen in replay(dataset, new_data(0), split, every)])
    assert keys.tolist() == train_keys(split, ROWS // every * every)


@given(every=st.integers(30, 120), tail=st.integers(1, 4))
def test_tail_adds_the_rows_of_previous_triggers(dataset, every, tail):
    """`tail: k` selects the rows of k triggers before as well."""
    for number, chosen in enumerate(replay(dataset, new_data(tail), EVERYTHING, every)):
        assert chosen.keys.tolist() == list(range(max(0, number - tail) * every, (number + 1) * every))


@given(split=splits, tail=st.integers(0, 2), everything=st.booleans())
def test_rows_without_a_label_are_not_selected(with_nulls, split, tail, everything):
    """Whatever the strategy; those since the previous trigger are counted, whatever their split."""
    sets = replay(with_nulls, ALL_DATA if everything else new_data(tail), split, 100)
    for number, chosen in enumerate(sets):
        first = 0 if everything else max(0, number - tail) * 100
        labelled = [key for key in train_keys(split, 100 * (number + 1)) if key >= first and key % 11]
        assert chosen.keys.tolist() == labelled
    assert [chosen.dropped for chosen in sets] == [10, 9, 9]


def test_a_strategy_may_not_choose_a_row_without_a_label(with_nulls):
    """What it may choose is asked of the rows that were read."""
    reader = Reader(Source(with_nulls, EVERYTHING), known(29))
    assert len(np.concatenate(list(reader.keys()))) == 27
    assert reader.may_choose(np.arange(30)).tolist() == [key % 11 > 0 for key in range(30)]


def test_all_data_selects_everything_so_far(dataset):
    """The baseline trains on every row up to the trigger."""
    assert [len(chosen.keys) for chosen in replay(dataset, ALL_DATA, EVERYTHING, 100)] == [
        100,
        200,
        300,
    ]


@pytest.mark.parametrize("strategy", [new_data(3), ALL_DATA])
def test_nothing_before_the_first_row_is_selected(dataset, strategy):
    """Rows before the first followed one are no training data."""
    request = known(59, first_key=50)
    chosen = select(strategy, request, dataset, EVERYTHING)
    assert (chosen.keys.tolist(), chosen.rows_read, chosen.watermark_key) == (list(range(50, 60)), 10, 59)
    assert chosen.weights.tolist() == [1.0] * 10


def test_rows_that_are_missing_are_an_error(dataset):
    """A trigger beyond the data is refused, not trained on what is there."""
    request = known(309, first_key=290)
    with pytest.raises(DataError, match="20 rows up to key 309 were announced, 10 could be read"):
        select(ALL_DATA, request, dataset, EVERYTHING)


class Read(TableDataset):
    """Rows whose readings are written down."""

    def __init__(self, dataset):
        super().__init__(dataset.config, dataset.entries)
        self.readings = []

    def batches(self, columns, first_key, stop_key, batch_rows=ROWS_AT_ONCE):
        """As ever."""
        self.readings.append((tuple(columns), first_key, stop_key))
        return super().batches(columns, first_key, stop_key, batch_rows)


@pytest.mark.parametrize("strategy", [new_data(0), new_data(1), ALL_DATA])
@pytest.mark.parametrize("labelled_key", [199, 150])
def test_rows_since_the_previous_trigger_are_read_and_others_counted(dataset, strategy, labelled_key):
    """A strategy that asks for keys alone has no other row read: they were, at their trigger."""
    rows = Read(dataset)
    request = msgspec.structs.replace(known(199, [49, 99]), labelled_key=labelled_key)
    chosen = select(strategy, request, rows, EVERYTHING)
    assert rows.readings == [(("time",), 100, 200)]
    before = {"new_data": 100 - 50 * strategy.options.get("tail", 0)}.get(strategy.name, 0)
    assert chosen.rows_read == 200 - before


def test_without_a_new_row_nothing_is_selected(dataset):
    """Whatever the strategy chose of those that earlier triggers knew; what was read is told all the same."""
    request = msgspec.structs.replace(known(199, [99]), left_out=((100, 199),))
    chosen = select(ALL_DATA, request, dataset, EVERYTHING)
    assert (len(chosen.keys), chosen.rows_read, chosen.watermark_key) == (0, 200, 199)


def test_rows_of_a_file_that_is_gone_or_another_are_missed(tmp_path):
    """Also those that are counted only: nothing is selected that cannot be trained on."""
    config = config_of(tmp_path / "data")
    (tmp_path / "data").mkdir()
    for number in range(2):
        table = pa.table({"time": range(100 * number, 100 * (number + 1)), "label": [0] * 100})
        pq.write_table(table, tmp_path / f"data/{number}.parquet")
    rows, first = open_dataset(config, discover(config, str(tmp_path))), tmp_path / "data/0.parquet"
    body = first.read_bytes()
    assert len(select(ALL_DATA, known(199, [99]), rows, EVERYTHING).keys) == 200
    first.write_bytes(body[:50] + b"!" + body[51:])
    with pytest.raises(DataError, match="has changed since its rows were given keys"):
        select(ALL_DATA, known(199, [99]), rows, EVERYTHING)
    first.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        select(ALL_DATA, known(199, [99]), rows, EVERYTHING)


@given(
    pieces=st.lists(st.integers(1, 40), min_size=2, max_size=8),
    fates=st.lists(st.sampled_from(["sound", "held", "skipped"]), min_size=8, max_size=8),
    split=splits,
)
def test_rows_that_are_set_aside_are_chosen_by_nobody_until_they_are_released(dataset, pieces, fates, split):
    """Each stretch of the stream is trained on, or set aside; the last trigger releases what was only held. Each sound
    row is new data once, a held one at the last trigger, a skipped one never; all data is all but these.
    """
    stops = np.cumsum(pieces).tolist()
    stretches = list(zip([0, *stops], [stop - 1 for stop in stops], [*fates[: len(pieces) - 1], "sound"], strict=False))
    kept, triggers = set(train_keys(split, stops[-1])), []  # (key, what is left out)
    for number, (_, last, fate) in enumerate(stretches):
        aside = [(a, b) for a, b, how in stretches[: number + 1] if how != "sound"]
        if fate == "sound":
            triggers.append((last, aside))
    never = [(a, b) for a, b, how in stretches if how == "skipped"]
    triggers[-1] = (triggers[-1][0], never)
    new, rows = [], lambda ranges: {key for a, b in ranges for key in range(a, b + 1)}
    for number, (key, aside) in enumerate(triggers):
        before = [
            Watermarks(key=earlier, labelled_key=earlier, released=tuple(one for one in then if one not in aside))
            for earlier, then in triggers[:number]
        ]
        request = Known(
            first_key=0, previous=tuple(before), trigger_id=0, trigger_key=key, labelled_key=key, left_out=tuple(aside)
        )
        chosen = select(new_data(0), request, dataset, split).keys.tolist()
        new += chosen
        if chosen:
            expected = sorted((kept - rows(aside)) & set(range(key + 1)))
            assert select(ALL_DATA, request, dataset, split).keys.tolist() == expected
    assert sorted(new) == sorted(kept - rows(never))
    assert set(chosen) >= kept & rows([(a, b) for a, b, how in stretches if how == "held"])


@given(split=splits, drops=st.booleans(), failed=st.sets(st.integers(0, 5), max_size=4), limit=st.integers(1, 60))
def test_what_is_kept_is_of_all_rows_before(dataset, with_nulls, split, drops, failed, limit):
    """Each row that has a label is observed once, also those of triggers whose selection failed; and a memory may
    choose them at a later trigger.
    """
    rows, before, observed, state = with_nulls if drops else dataset, [], None, None
    memory = Reservoir(limit, seed=0)
    for key in range(49, ROWS, 50):
        request = msgspec.structs.replace(known(key, before), observed=observed)
        before.append(key)
        if key // 50 in failed:
            continue
        chosen = select(remembering(limit), request, rows, split, memory=Memory(state=state))
        expected = np.array([k for k in train_keys(split, key + 1) if k % 11 or not drops], np.int64)
        assert chosen.keys.tolist() == memory.keys(memory.observe(memory.empty(), expected)).tolist()
        observed, state = Watermarks(key=key, labelled_key=key), chosen.state
        assert read_state(state)["labels"] == sum(k % 2 for k in expected) * drops
        earlier = -1 if request.observed is None else request.observed.key
        assert chosen.how.remembered == sum(k <= earlier for k in chosen.keys)


def test_a_choice_says_that_it_lacked_a_model(dataset):
    """Where the strategy whose turn it is would have asked one, and something was selected."""
    craig = {"name": "craig", "limit": 10}
    later = named("schedule", strategies=[{"name": "uniform", "limit": 10}, {**craig, "from_trigger": 1}])
    for strategy, turn, how in (
        (named(**craig), 0, Chosen(without_model=True)),
        (named("uniform", limit=10), 0, Chosen()),
        (later, 0, Chosen(by="uniform")),
        (later, 1, Chosen(by="craig", without_model=True)),
    ):
        request = msgspec.structs.replace(known(99), turn=turn)
        assert select(strategy, request, dataset, EVERYTHING).how == how
    nothing = msgspec.structs.replace(known(99), left_out=((0, 99),))
    assert select(later, nothing, dataset, EVERYTHING).how == Chosen()


def test_a_memory_may_choose_no_row_that_it_cannot_have_seen(dataset):
    """Not of another split, not one that is set aside, and none that comes later."""
    rows = {"key": np.array([3, 250]), "draw": np.array([0, 1], np.uint64)}
    state = state_bytes({"selections": 1, "labels": 0, "rows": pa.table(rows, schema=Reservoir.SCHEMA)})
    request = known(99, [49])
    with pytest.raises(TrainingError, match="chose rows that are not for training here, the first is key 250"):
        select(remembering(100), request, dataset, EVERYTHING, memory=Memory(state=state))
    request = msgspec.structs.replace(known(260, [49]), left_out=((3, 3),))
    with pytest.raises(TrainingError, match="chose rows that are not for training here, the first is key 3"):
        select(remembering(100), request, dataset, EVERYTHING, memory=Memory(state=state))


@given(test=st.floats(0, 0.5), validation=st.floats(0, 0.49))
def test_splits_share_out_every_row(test, validation):
    """Each row is in exactly one of train, validation and test."""
    seeds = np.arange(500, dtype=np.uint64)
    masks = [rows_in_split(seeds, name, test=test, validation=validation) for name in ("train", "validation", "test")]
    assert np.sum(masks, axis=0).tolist() == [1] * 500


def test_splitmix64_is_the_published_one():
    """The first output for seed 1234567 is that of the reference implementation."""
    assert int(splitmix64(np.array([1234567], np.uint64))[0]) == 6457827717110365317

"""Sets that are too large for an index: their order goes by blocks, and their rows stay on disk."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigurationError, DataError
from shared.training_rule import TrainingRule
from tests.unit.training.order.test_courses import INFOBATCH, RS2, SAMPLED
from tests.unit.training.samples import digits, flights, job, model, names, run, stops_after, training
from workers.features.encoder import pieces
from workers.going_on import Interrupted
from workers.selection.batches import BATCH_RULES
from workers.training.order import rs2
from workers.training.order.blocks import Blocks
from workers.training.order.bounds import batch_bounds
from workers.training.order.rule import Epoch
from workers.training.order.shuffled import BlockOrder
from workers.training.prepare import prepare

SMALL = Blocks(beyond_rows=100, rows=37)  # of 200 rows: six blocks, the last of 15


def index(order):
    """All places of an order by blocks."""
    return np.concatenate([np.empty(0, np.int64), *(one.first + one.places for one in order.stretches())]).tolist()


@given(st.integers(0, 2**64), st.integers(0, 9), st.integers(1, 300), st.integers(1, 40))
def test_an_order_by_blocks_is_a_permutation_that_can_be_had_again(seed, epoch, rows, block_rows):
    """Every row once, the rows of a block together; the same for the same seed and epoch."""
    order = index(BlockOrder(seed, epoch, rows, block_rows))
    assert sorted(order) == list(range(rows))
    assert order == index(BlockOrder(seed, epoch, rows, block_rows))
    blocks = np.array(order) // block_rows
    assert (np.diff(blocks) != 0).sum() + 1 == -(-rows // block_rows)


@given(st.data())
def test_a_part_of_it_is_a_part_of_its_places(data):
    """So that an epoch can be gone on with anywhere, and dealt out."""
    rows, block_rows = data.draw(st.integers(1, 100)), data.draw(st.integers(1, 30))
    start, stop = sorted(data.draw(st.tuples(st.integers(0, rows), st.integers(0, rows))))
    order = BlockOrder(1, 2, rows, block_rows)
    assert index(order[start:stop]) == index(order)[start:stop]
    assert len(order[start:stop]) == stop - start


def test_epochs_seeds_and_blocks_have_orders_of_their_own():
    """Neither repeats another's; nor does a block's."""
    orders = [BlockOrder(seed, epoch, 400, 100) for seed in range(3) for epoch in range(3)]
    assert len({tuple(index(one)) for one in orders}) == 9
    assert len({tuple(one.places.tolist()) for order in orders for one in order.stretches()}) == 36


def test_rs2_deals_out_blocks():
    """Without replacement all rows come before one comes again."""
    rule = rs2.RS2(100, 0.3, 3, replacement=False, block_rows=16)
    met = [index(rule.epoch(number).order) for number in range(4)]
    assert [len(one) for one in met] == [30, 30, 30, 10]
    assert sorted(sum(met, [])) == list(range(100))


@pytest.mark.parametrize(
    ("rows", "row_bytes", "of_a_block"),
    [(2**24, 4, None), (2**24 + 1, 4, 2**18), (2**24 + 1, 2**10, 2**16), (2**24 + 1, 2**20, 2**10)],
)
def test_a_set_of_more_than_2_to_the_24_rows_goes_by_blocks_that_fit_into_memory(rows, row_bytes, of_a_block):
    """2¹⁸ rows each, fewer where these are long."""
    assert Blocks().rows_of_a_block(rows, row_bytes) == of_a_block


def large(folder, dataset=None, **changes):
    """A training whose set is taken for a large one, given in pieces of 23 rows."""
    return job(folder, dataset, batch_rules=BATCH_RULES, **{"blocks": SMALL, "rows_a_piece": 23} | changes)


@pytest.mark.parametrize("dataset", [flights(), digits(200), names(200)], ids=["table", "images", "texts"])
@pytest.mark.parametrize("weights", [False, True], ids=["plain", "weighted"])
def test_batches_are_the_rows_in_the_order_of_the_blocks(tmp_path, dataset, weights):
    """Whole, or from anywhere in an epoch on: what rows in memory give in the same order, across blocks and pieces."""
    keys = np.sort(np.random.default_rng(0).choice(200, 150))  # some several times
    settings = {"keys": keys, "weights": np.arange(1, 151, dtype=np.float32)} if weights else {"keys": keys}
    settings["model"] = model("mlp") if dataset.config.text is None else model("text_bag", max_chars=8)
    on_disk = prepare(large(tmp_path, dataset, **settings), lambda: False)
    in_memory = prepare(large(tmp_path, dataset, **settings, blocks=Blocks()), lambda: False)
    order = BlockOrder(5, 0, 150, 37)
    bounds = batch_bounds(150, 16, lone_row_allowed=True)
    for some in (bounds, bounds[4:], bounds[10:]):
        found = on_disk.rows.batches(Epoch(order), some)
        expected = in_memory.rows.batches(Epoch(np.array(index(order))), some)
        for (start, stop), mine, theirs in zip(some, found, expected, strict=True):
            assert len(mine.labels) == stop - start
            for one, other in zip(mine, theirs, strict=True):
                assert one is other is None or torch.allclose(one, other)  # scaled alike, but for the last digit


@pytest.mark.parametrize("rule", [None, RS2, SAMPLED], ids=["all", "rs2", "drawn"])
@pytest.mark.parametrize("asked", [5, 9, 13])
def test_interrupted_and_resumed_is_identical(tmp_path, rule, asked):
    """Stopped within any epoch, also at the border of a block, and gone on in another process."""
    settings = {"rule": rule, "model": model("mlp", hidden=[8], dropout=0.5), "training": training(batch_size=16)}
    whole = run(large(tmp_path / "whole", **settings))
    with pytest.raises(Interrupted):
        run(large(tmp_path / "cut", **settings), should_stop=stops_after(asked))
    resumed = run(large(tmp_path / "cut", **settings))
    assert (resumed.body, resumed.loss) == (whole.body, whole.loss)


def test_what_can_be_learned_is_learned(tmp_path):
    """By blocks as by an index."""
    by_index, by_blocks = (run(large(tmp_path / f"{one.rows}", blocks=one)) for one in (Blocks(), SMALL))
    assert by_blocks.loss == pytest.approx(by_index.loss, rel=0.2)
    assert by_blocks.samples == 200


def test_a_rule_that_needs_a_loss_of_each_row_is_refused(tmp_path):
    """With its size, and what to do."""
    with pytest.raises(ConfigurationError, match="a training set of 200 rows is too large.*`limit`, or let rs2"):
        run(large(tmp_path, rule=INFOBATCH))


def test_rows_that_are_missing_are_told(tmp_path):
    """As of sets in memory."""
    rows = large(tmp_path, keys=np.arange(100, 300)).rows
    with pytest.raises(DataError, match="gave 100 rows of the 200"):
        list(pieces(flights(), ("wind",), rows))


def test_no_scratch_file_is_left(tmp_path):
    """Features, labels and weights lie in files without names."""
    run(large(tmp_path, weights=np.linspace(1, 2, 200, dtype=np.float32)))
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_rule_is_dealt_out_by_name(tmp_path):
    """A set that names another seed is another training."""
    other = TrainingRule(name="rs2", options=RS2.options | {"seed": 4})
    assert run(large(tmp_path / "a", rule=RS2)).body != run(large(tmp_path / "b", rule=other)).body

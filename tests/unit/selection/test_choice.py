"""What a strategy chose is a training set only if it could be one."""

from __future__ import annotations

import numpy as np
import pytest

from shared.errors import TrainingError
from workers.selection.choice import sound


def small(keys):
    """Only keys below 100 are for training."""
    return keys < 100


def chosen(*pieces, may_choose=small):
    """The checked choice of a strategy that yields these (keys, weights), in one."""
    pieces = [(np.array(keys), np.array(weights)) for keys, weights in pieces]
    found = list(sound(pieces, may_choose, who="strategy mine"))
    keys = np.concatenate([np.empty(0, np.int64), *(keys for keys, _ in found)])
    return keys, np.concatenate([np.empty(0, np.float32), *(weights for _, weights in found)])


def test_pieces_become_one_set():
    """A key drawn twice stands twice; integers and doubles of any width become int64 and float32."""
    keys, weights = chosen(([1, 4, 4], [1.0, 0.5, 0.5]), ([7], [2]))
    assert (keys.tolist(), weights.tolist()) == ([1, 4, 4, 7], [1.0, 0.5, 0.5, 2.0])
    assert (keys.dtype, weights.dtype) == (np.int64, np.float32)


def test_rows_that_weigh_nothing_are_left_out():
    """Also those that weigh nothing as a float32; their keys have to be ones that may be chosen, too."""
    keys, weights = chosen(([1, 4, 6], [1.0, 0.0, 1e-60]), ([7, 8], [0, 0]), ([9], [2]))
    assert (keys.tolist(), weights.tolist()) == ([1, 9], [1.0, 2.0])
    with pytest.raises(TrainingError, match="not for training here, the first is key 150"):
        chosen(([150], [0.0]))


def test_a_piece_is_checked_before_the_next_is_asked_for():
    """No more than one is held, however many there are."""
    asked = []

    def endless():
        for number in range(10**9):
            asked.append(number)
            yield np.array([number]), np.ones(1)

    found = sound(endless(), lambda keys: keys < 3, who="strategy mine")
    assert [next(found)[0].tolist() for _ in range(3)] == [[0], [1], [2]]
    with pytest.raises(TrainingError):
        next(found)
    assert asked == [0, 1, 2, 3]


def test_nothing_chosen_is_a_set():
    """An empty set is for the supervisor to judge."""
    assert [len(one) for one in chosen()] == [0, 0]


@pytest.mark.parametrize(
    ("pieces", "told"),
    [
        ([([1.0, 2.0], [1, 1])], "chose keys of type float64 and shape (2,); they are int64 (n,)."),
        ([([[1, 2]], [[1, 1]])], "chose keys of type int64 and shape (1, 2); they are int64 (n,)."),
        ([([1, 2], [1])], "gave 2 keys weights of shape (1,); there is one a key."),
        ([([1, 2], [1, np.nan])], "gave key 2 the weight nan; a weight is a finite number above 0, "),
        (
            [([1, 2], [1, -0.5])],
            "gave key 2 the weight -0.5; a weight is a finite number above 0, and one of 0 leaves ",
        ),
        ([([1, 2], [1, 1e60])], "gave key 2 the weight inf; a weight is a finite number above 0, "),
        ([([3, 5, 2], [1, 1, 1])], "chose key 2 after key 5; keys ascend."),
        ([([7], [1]), ([6], [1])], "chose key 6 after key 7; keys ascend."),
        ([([7, 150, 151], [1, 1, 1])], "chose rows that are not for training here, the first is key 150: a "),
    ],
)
def test_what_no_set_can_be_is_refused_with_the_strategys_name(pieces, told):
    """Types, shapes, order, weights and rows that are not for training."""
    with pytest.raises(TrainingError) as refused:
        chosen(*pieces)
    assert str(refused.value).startswith(f"strategy mine {told}")

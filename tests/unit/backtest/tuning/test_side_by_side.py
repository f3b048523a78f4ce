"""Several policies are fitted at once, each as if it were alone."""

from __future__ import annotations

from threading import Barrier, Event

import pytest

from shared.config.load import Configuration
from shared.errors import RunFailedError
from supervisor.backtest.tuning.fit import Trial, Worth, fit
from supervisor.backtest.tuning.side_by_side import fit_all

BLOCKS = {f"by {every}": {"policy": "data_amount", "every": every} for every in (100, 300, 900)}


def amount(configuration: Configuration) -> int:
    """What the policy is."""
    every: int = configuration.pipeline.trigger.options["every"]
    return every


def cost(every: int) -> Worth:
    """Least at 250 rows."""
    return Worth(abs(every - 250), 0)


def test_each_as_if_it_were_alone(configured):
    """Two are begun before one is over."""
    both, told = Barrier(2, timeout=60), list[str]()

    def play(configuration: Configuration) -> int:
        if amount(configuration) in (100, 300) and not told:  # as they are written
            both.wait()
        return amount(configuration)

    found = fit_all(
        BLOCKS,
        Trial(configured, play, cost),
        {"by 100": {"every": [200]}, "by 900": {"every": [200]}},
        at_once=2,
        told=lambda name, fitted: told.append(name),
    )
    assert list(found) == list(BLOCKS)
    assert sorted(told) == sorted(BLOCKS)
    assert found["by 300"].parameters == fit(BLOCKS["by 300"], Trial(configured, amount, cost)).parameters
    assert found["by 900"].parameters == {"every": 200}


def test_one_that_fails_ends_all(configured):
    """With its name; whoever is being fitted beside it replays no more, and no further one is begun."""
    both, stopped, played = Barrier(2, timeout=60), Event(), list[int]()

    def play(configuration: Configuration) -> int:
        played.append(amount(configuration))
        both.wait()
        if amount(configuration) == 300:
            raise RunFailedError("the policy raised an error.")
        assert stopped.wait(60), "another one has failed"
        return amount(configuration)

    with pytest.raises(RunFailedError, match="^policies.by 300: the policy raised an"):
        fit_all(BLOCKS, Trial(configured, play, cost), {}, at_once=2, stop=stopped.set)
    assert sorted(played) == [100, 300]

"""Several policies are fitted at once, each as if it were alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any

import pytest

from shared.config.load import Configuration
from shared.errors import RunFailedError
from supervisor.backtest.tuning.fit import Judging, Worth, fit
from supervisor.backtest.tuning.side_by_side import fit_all

BLOCKS = {f"by {every}": {"policy": "data_amount", "every": every} for every in (100, 300, 900)}


def cost(configuration: Configuration) -> Worth:
    """Least at 250 rows."""
    return Worth(abs(configuration.pipeline.trigger.options["every"] - 250), 0)


def test_each_as_if_it_were_alone(configured):
    """Two are begun before one is over; what is opened for a thread is closed."""
    both, opened = Barrier(2, timeout=60), list[str]()

    @contextmanager
    def judging() -> Iterator[Judging[Any]]:
        opened.append("opened")
        both.wait()
        yield Judging(configured, lambda configuration: configuration, cost)
        opened.append("closed")

    told = list[str]()
    found = fit_all(
        BLOCKS, judging, {"by 900": {"every": [200]}}, at_once=2, told=lambda name, fitted: told.append(name)
    )
    assert list(found) == list(BLOCKS)
    assert sorted(told) == sorted(BLOCKS)
    assert (opened.count("opened"), opened.count("closed")) == (2, 2)
    alone = fit(BLOCKS["by 300"], Judging(configured, lambda configuration: configuration, cost))
    assert found["by 300"].parameters == alone.parameters
    assert found["by 900"].parameters == {"every": 200}


def test_one_that_fails_ends_all(configured):
    """With what it raised; no further one is begun."""
    played = list[int]()

    def play(configuration: Configuration) -> Configuration:
        played.append(configuration.pipeline.trigger.options["every"])
        raise RunFailedError("the policy raised an error.")

    @contextmanager
    def judging() -> Iterator[Judging[Any]]:
        yield Judging(configured, play, cost)

    with pytest.raises(RunFailedError, match="the policy raised"):
        fit_all(BLOCKS, judging, {}, at_once=1)
    assert played == [100]


def test_what_others_still_do_is_stopped(configured):
    """At once, as a search may take long; what the failed one raised is told."""
    both, stopped = Barrier(2, timeout=60), Event()

    def play(configuration: Configuration) -> Configuration:
        both.wait()
        if configuration.pipeline.trigger.options["every"] == 300:
            raise RunFailedError("the policy raised an error.")
        assert stopped.wait(60), "another one has failed"
        raise RunFailedError("it was stopped.")

    @contextmanager
    def judging() -> Iterator[Judging[Any]]:
        yield Judging(configured, play, cost)

    with pytest.raises(RunFailedError, match="the policy raised"):
        fit_all(BLOCKS, judging, {}, at_once=2, stop=stopped.set)

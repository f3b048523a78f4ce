"""Several policies fitted at once: a thread each, as most of the time passes in the processes that they ask."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from typing import Any

from supervisor.backtest.tuning.fit import Fitted, Judging, Ladders, fit
from supervisor.backtest.tuning.options import Block


def fit_all(
    blocks: Mapping[str, Block],
    opened: Callable[[], AbstractContextManager[Judging[Any]]],
    ladders: Mapping[str, Ladders],
    *,
    at_once: int,
    told: Callable[[str, Fitted], None] = lambda name, fitted: None,
    stop: Callable[[], None] = lambda: None,
) -> dict[str, Fitted]:
    """Those of all policies, by name; the same ones however many are fitted `at_once`.

    `opened`: what one thread judges by, with the processes that it asks; entered, used and left by that thread alone.
    `told` hears of each as it is there, in any thread. `stop` ends what others still do, where one has failed or
    somebody interrupts; what it has them raise is not told. Raises what `fit` does, once no other is being fitted.
    """
    waiting, found = deque(blocks), dict[str, Fitted]()

    def work() -> None:
        try:
            with opened() as judging:
                while (name := _next(waiting)) is not None:
                    found[name] = fit(blocks[name], judging, ladders.get(name))
                    told(name, found[name])
        finally:
            waiting.clear()  # where one has failed no further one is begun

    with ThreadPoolExecutor(max(at_once, 1)) as threads:
        try:
            begun = [threads.submit(work) for _ in range(min(at_once, len(blocks)))]
            for one in wait(begun, return_when=FIRST_EXCEPTION).done:
                one.result()
        except BaseException:
            waiting.clear()
            stop()
            raise
    return {name: found[name] for name in blocks}


def _next(waiting: deque[str]) -> str | None:
    try:
        return waiting.popleft()
    except IndexError:
        return None

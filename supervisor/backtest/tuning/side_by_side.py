"""Several policies fitted at once: a thread each, as most of the time passes in the processes that they ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, CancelledError, ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

from shared.config.load import Configuration
from shared.errors import NotReadyError, RunFailedError
from supervisor.backtest.tuning.fit import Fitted, Ladders, Trial, fit
from supervisor.backtest.tuning.options import Block

Played = TypeVar("Played")


def fit_all(
    blocks: Mapping[str, Block],
    trial: Trial[Played],
    ladders: Mapping[str, Ladders],
    *,
    at_once: int,
    told: Callable[[str, Fitted], None] = lambda name, fitted: None,
    stop: Callable[[], None] = lambda: None,
) -> dict[str, Fitted]:
    """Those of all policies, by name; the same ones however many are fitted `at_once`.

    `trial`: in any thread; `told` hears of each as it is there, in any thread, too. `stop` ends the replays that go on
    where one has failed or somebody interrupts, and no further one begins; what it has them raise is not told. Raises
    what `fit` does, with the policy's name, once no other is being fitted.
    """
    stopped = Event()

    def play(configuration: Configuration) -> Played:
        if stopped.is_set():
            raise CancelledError
        return trial.play(configuration)

    def fitted(name: str) -> Fitted:
        try:
            found = fit(blocks[name], trial._replace(play=play), ladders.get(name))
        except (NotReadyError, RunFailedError) as error:
            stopped.set()  # before this thread begins with another one
            raise error.about(f"policies.{name}") from error
        except BaseException:
            stopped.set()
            raise
        told(name, found)
        return found

    with ThreadPoolExecutor(max(at_once, 1), thread_name_prefix="fit") as threads:
        begun = {name: threads.submit(fitted, name) for name in blocks}
        try:
            for one in wait(begun.values(), return_when=FIRST_EXCEPTION).done:
                one.result()
        except BaseException:
            stopped.set()
            stop()
            raise
    return {name: one.result() for name, one in begun.items()}

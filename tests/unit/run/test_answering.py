"""A trigger that is asked for by hand, on the rows that a run has seen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from run_of_events import run_started
from workplace import Workplace

from shared.config.load import load_configuration
from shared.dataset.discovery import discover
from shared.dataset.table import open_dataset
from supervisor.core.events import AnyEvent, Declined, Observed, StreamEnded
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.by_hand import Request
from supervisor.run.observe.answering import answer
from supervisor.run.observe.observer import Observer

REQUEST = Request(id="of-somebody", why="labels were mended")


class Followed:
    """A run on 2,000 rows whose policy would fire every 1,900."""

    def __init__(self, small: Workplace, **begun: Any) -> None:
        small.pipeline["trigger"]["every"] = 1900
        small.write()
        files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
        configuration = load_configuration(*files, experiment_mode=True)
        config = configuration.system.datasets["rows"]
        dataset = open_dataset(config, discover(config, str(small.folder / "runs")))
        self.state = RunState(settings=Settings.of(configuration.pipeline))
        self.happen(msgspec.structs.replace(run_started(), **begun))
        self.observer = Observer(configuration.pipeline, dataset, self.state)

    def happen(self, event: AnyEvent | None) -> None:
        """The next state."""
        if event is not None:
            self.state, *_ = transition(self.state, event)

    def observe(self) -> Followed:
        """See all rows."""
        while not self.observer.at_end:
            self.happen(self.observer.observe(self.state))
        return self

    def ask(self) -> Observed | Declined:
        """What the journal gets."""
        event = answer(REQUEST, self.observer, self.state)
        self.happen(event)
        return event


def declined(run: Followed) -> tuple[str, bool]:
    """Why there is none, and whether it was refused."""
    event = run.ask()
    assert isinstance(event, Declined)
    assert (event.request, event.why) == (REQUEST.id, REQUEST.why)
    return event.sentence, event.refused


def test_it_takes_the_rows_since_the_last_trigger(small: Workplace) -> None:
    """The reason is who asked's, and the request stands in the same line; a second one finds nothing new."""
    run = Followed(small)
    assert declined(run) == ("no row has come yet", False)
    event = run.observe().ask()
    assert isinstance(event, Observed)
    (fired,) = event.triggers
    assert (fired.id, fired.key, fired.reason) == (1, 1999, "by hand: labels were mended")
    assert fired.request == REQUEST.id
    assert [run.state.trigger(number).fired.key for number in (0, 1)] == [1899, 1999]
    assert declined(run) == ("no row has come since the last trigger", False)


@pytest.mark.parametrize("maximum", [1, None], ids=["as many as may be", "no more rows"])
def test_it_is_refused_where_none_may_fire(small: Workplace, maximum: int | None) -> None:
    """With why."""
    run = Followed(small, maximum_triggers=maximum).observe()
    if maximum is None:
        run.happen(StreamEnded(time_us=0, key=1999))
    told = "--maximum-triggers 1 is reached" if maximum else "no row after key 1999 is followed"
    sentence, refused = declined(run)
    assert sentence.startswith(told)
    assert refused

"""A run counts local times that occur twice or never as it observes rows: each once, whatever is read again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from begun import BEGUN
from workplace import Workplace

from shared.clock_changes import ClockChanges
from shared.config.load import load_configuration
from shared.dataset.discovery import discover
from shared.dataset.table import TableDataset, open_dataset
from shared.ids import RunId
from supervisor.core.events import AnyEvent, RunStarted
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.run.observe.observer import Observer


class Stream:
    """A CSV with a row each half hour by the clock on the wall, from before the change of October or of March on."""

    def __init__(self, folder: Path, start: str, rows: int) -> None:
        self.folder, small = folder, Workplace.small(folder)
        dataset = small.config["storage"]["datasets"]["rows"]
        dataset |= {"uri": "stream", "timestamp": {"column": "t", "format": "%d/%m/%Y %H:%M", "zone": "Europe/Zurich"}}
        small.write()
        configuration = load_configuration(folder / "pipeline.yaml", folder / "config.yaml", experiment_mode=False)
        self.pipeline, self.config = configuration.pipeline, configuration.system.datasets["rows"]
        (folder / "stream").mkdir()
        self.path = folder / "stream" / "log.csv"
        self.path.write_text("t,x,label\n")
        self.add(start, rows)

    def add(self, start: str, rows: int) -> None:
        """More rows."""
        moments = [datetime.fromisoformat(start) + timedelta(minutes=30 * row) for row in range(rows)]
        with self.path.open("a") as file:
            file.writelines(f"{one:%d/%m/%Y %H:%M},1,{number % 2}\n" for number, one in enumerate(moments))

    def dataset(self) -> TableDataset:
        """The rows that are there."""
        return open_dataset(self.config, discover(self.config, str(self.folder / "runs")))

    def start(self) -> RunState:
        """The state of a run that has just begun."""
        about = {"first_key": 0, "stop_key": None, "maximum_triggers": None}
        started = RunStarted(time_us=0, run_id=RunId("run"), mode="production", **about)
        return transition(RunState(settings=Settings.of(self.pipeline)), started)[0]


def followed(observer: Observer, state: RunState) -> tuple[RunState, list[str]]:
    """What has become of the run once all rows were observed, and the notices."""
    names: list[str] = []
    events: list[AnyEvent | None] = []
    while not observer.at_end:
        events.append(observer.observe(BEGUN))
    for event in (one for one in [*events, observer.end()] if one is not None):
        state, _, notices = transition(state, event)
        names += [type(one).__name__ for one in notices]
    return state, names


@pytest.mark.parametrize(
    ("start", "twice", "never", "key"), [("2024-10-27", 2, 0, 4), ("2024-03-31", 0, 2, 4), ("2024-07-01", 0, 0, None)]
)
def test_they_are_counted_and_told_once(tmp_path: Path, start: str, twice: int, never: int, key: int | None) -> None:
    """In a stream that grows, and again after a restart."""
    stream = Stream(tmp_path, start, 5)
    observer, state = Observer(stream.pipeline, stream.dataset(), stream.start()), stream.start()
    while not observer.at_end:
        observer.observe(BEGUN)
    stream.add(f"{start}T02:30", 20)
    observer.discover(str(tmp_path / "runs"))
    state, names = followed(observer, state)
    expected = ClockChanges(twice=twice, never=never, key=key, file=str(stream.path) if key else None)
    assert state.stream.clock_changes == expected
    assert names.count("ClocksChanged") == (1 if key else 0)
    again, names = followed(Observer(stream.pipeline, stream.dataset(), state), state)
    assert again.stream.clock_changes == expected
    assert names.count("ClocksChanged") == 0

"""What a run has come to stands in its directory while it goes on."""

from __future__ import annotations

from run_of_events import run_started
from workplace import Workplace

from shared.config.load import load_configuration
from shared.ids import RunId, TriggerId
from supervisor.core.notices import TriggerFired, Waits
from supervisor.core.seen import Fired
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.results.tally import Tally
from supervisor.run.directory import RunDirectory
from supervisor.run.listen.recorder import Recorder


def test_what_a_run_waits_for_is_recorded(small: Workplace) -> None:
    """For `runs`, until a trigger fires or the run is over."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    pipeline = load_configuration(*files, experiment_mode=False).pipeline
    directory = RunDirectory(small.run_dir)
    directory.path.mkdir()
    recorder = Recorder(pipeline, directory, Tally(pipeline))
    started = run_started(RunId("run"), mode="production")
    state = RunState(settings=Settings.of(pipeline), started=started)
    recorder.hear(Waits(sentence="3 of 9 rows", begun=True))
    recorder.turn(state, 3)
    assert directory.summary()["waits_for"] == "3 of 9 rows"
    assert recorder.record(state.but(status="stopped"))["waits_for"] is None
    recorder.hear(TriggerFired(fired=Fired(id=TriggerId(0), key=9, timestamp_us=0, reason="9 rows")))
    assert recorder.record(state)["waits_for"] is None

"""What is said of a run before it begins."""

from __future__ import annotations

from shared.config.load import load_configuration
from supervisor.run.start.cautions import of_the_pipeline


def test_what_only_a_run_that_follows_does(small):
    """A replay says that it has no clock for max_wait; a run that follows, what would have no end."""
    small.pipeline["trigger"] = {"policy": "time", "every": "8h", "max_wait": "1d"}
    small.pipeline["evaluation"]["on"].append({"name": "weeks", "window": {"every": "7d"}})
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    pipeline = load_configuration(*files, experiment_mode=True).pipeline
    [told] = of_the_pipeline(pipeline, replays=True)
    assert told.startswith("trigger.max_wait is time by the clock")
    [told] = of_the_pipeline(pipeline, replays=False)
    assert told.startswith("evaluation.models: all scores every model")

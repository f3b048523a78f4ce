"""Which rows are judged, and on which parameters are fitted."""

from __future__ import annotations

import pytest
from judged_grids import HOUR_US, grid_of
from workplace import Workplace

from shared.config.load import load_configuration
from shared.errors import ConfigurationError, NotReadyError
from shared.temporary import scratch_folder
from supervisor.backtest.replaying.recorded_stream import RecordedStream
from supervisor.backtest.replaying.recording import open_recording
from supervisor.backtest.stretches import parted, time_at, whole_stretch
from supervisor.run.start.first_events import Scope


@pytest.fixture
def stream(small: Workplace) -> RecordedStream:
    """2,000 rows in two files, an hour apart."""
    small.write()
    files = small.folder / "pipeline.yaml", small.folder / "config.yaml"
    with scratch_folder("found") as folder:
        return open_recording(load_configuration(*files, experiment_mode=True), Scope(experiment=True), folder).stream


def test_all_rows_behind_the_first_model_are_judged(stream: RecordedStream) -> None:
    """It is the pipeline's own that counts; where none follows there is nothing to judge."""
    assert whole_stretch(grid_of([299, 599], [99]), stream) == (300, 1999)
    with pytest.raises(NotReadyError, match="no row follows the first model"):
        whole_stretch(grid_of([1999]), stream)
    assert [time_at(stream, key) for key in (0, 999, 1000, 1999)] == [0, 999 * HOUR_US, 1000 * HOUR_US, 1999 * HOUR_US]


def test_parameters_are_fitted_up_to_a_grid_point_or_a_moment(stream: RecordedStream) -> None:
    """The last with no more than 40 % of the rows before it; the moment's own row is fitted on."""
    grid = grid_of([299, 599, 899, 979, 980, 1199])
    whole = whole_stretch(grid, stream)
    assert parted(whole, grid, stream, None) == ((300, 979), (980, 1999))
    assert parted(whole, grid, stream, 1000 * HOUR_US) == ((300, 1000), (1001, 1999))
    assert parted(whole, grid, stream, 1000 * HOUR_US + 1) == ((300, 1000), (1001, 1999))


@pytest.mark.parametrize(
    ("hours", "told"),
    [(200, "no row to fit on"), (299, "no row to fit on"), (1999, "no row to judge on"), (9e4, "judge")],
)
def test_both_need_a_row(stream: RecordedStream, hours: float, told: str) -> None:
    """With what can be said instead."""
    grid = grid_of([299, 599])
    with pytest.raises(ConfigurationError, match=rf"--tune-until 19.*{told}.*between 1970-01-13T12.*and 1970-03-25"):
        parted(whole_stretch(grid, stream), grid, stream, round(hours * HOUR_US))


def test_without_a_grid_point_on_the_way_there_is_no_default(stream: RecordedStream) -> None:
    """Of one model alone."""
    grid = grid_of([299, 1500])
    with pytest.raises(ConfigurationError, match="--tune: leaves no row to fit on"):
        parted(whole_stretch(grid, stream), grid, stream, None)

"""The folder of a sweep says what it is of."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import ConfigurationError, RunTakenError
from supervisor.sweep.place import Place, Wanted

WANTED = Wanted(set=("trigger.every=1,2",), maximum_triggers=3)


def test_a_sweep_goes_on_with_what_it_began_with(tmp_path: Path) -> None:
    """What is left out is as it was; what says otherwise is refused, with what it was."""
    place = Place.at(tmp_path / "s")
    place.create(WANTED)
    assert place.wanted(Wanted(set=())) == WANTED
    assert place.wanted(WANTED).options() == ["--maximum-triggers", "3"]
    with pytest.raises(
        ConfigurationError, match=r"--set is not what this sweep began with \(--set 'trigger.every=1,2'"
    ):
        place.wanted(Wanted(set=("trigger.every=1",)))
    with pytest.raises(ConfigurationError, match="--start-replay-at is not what"):
        place.wanted(Wanted(set=(), start_replay_at="2013-01-01T00:00:00Z"))


def test_a_folder_holds_one_sweep(tmp_path: Path) -> None:
    """Begun once, and carried out by one process at a time."""
    place = Place.at(tmp_path / "s")
    place.create(WANTED)
    with pytest.raises(ConfigurationError, match="already holds a sweep; go on with it with --resume"):
        Place.at(tmp_path / "s").refuse_if_taken()
    with pytest.raises(RunTakenError):
        Place.at(tmp_path / "s").lock()


def test_only_a_sweep_can_go_on(tmp_path: Path) -> None:
    """And a folder with something else in it is nobody's to sweep in."""
    with pytest.raises(ConfigurationError, match="holds no sweep"):
        Place.at(tmp_path).wanted(Wanted(set=()))
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ConfigurationError, match="is not empty"):
        Place.at(tmp_path).refuse_if_taken()

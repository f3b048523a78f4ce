"""What became of a run of a sweep."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.sweep.outcome import outcome

RUN = Path("/runs/a")


@pytest.mark.parametrize(
    ("summary", "code", "said", "status", "told"),
    [
        ({"status": "finished", "composite": {"accuracy": 0.71}, "triggers": 2}, 0, "", "finished", ""),
        ({"status": "finished", "composite": {"auroc": None}, "triggers": 2}, 0, "", "unscored", "no window could be"),
        ({"status": "finished", "composite": {"auroc": None}, "triggers": 0}, 0, "", "unscored", "no trigger fired"),
        ({"status": "stopped"}, 0, "", "stopped", "was stopped"),
        ({}, 0, "Stopped before the run began", "stopped", "was stopped"),
        ({}, 2, "12:00 → …\nerror: first\nerror: --set a=1: is wrong.\n", "failed", "--set a=1: is wrong."),
        ({"status": "failed", "reason": "loss is nan"}, 1, "the table", "failed", "loss is nan"),
        ({}, -9, "", "failed", "its supervisor ended with SIGKILL"),
        ({}, 1, "", "failed", "its supervisor ended with exit code 1"),
    ],
)
def test_a_run_takes_part_if_it_finished_with_a_score(
    summary: dict[str, object], code: int, said: str, status: str, told: str
) -> None:
    """Else it is told why not: by the last error, the run's record, or how its process ended."""
    came_to = outcome("a", RUN, summary, code, said)
    assert came_to.status == status
    assert told in came_to.reason


def test_the_first_score_there_is_is_told() -> None:
    """A metric may be undefined on all windows."""
    summary = {
        "status": "finished",
        "composite": {"auroc": None, "accuracy": 0.70123},
        "composite_rows": {"rows": 1234},
    }
    assert outcome("a", RUN, summary, 0, "").score == "accuracy 0.7012 on its 1,234 rows"

"""The kind of device that scores are computed on is settled by the pipeline and the fleet."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from registry import worker_entry
from workplace import Workplace

from shared.config.load import load_configuration
from shared.config.pipeline import Pipeline
from shared.errors import NotReadyError
from supervisor.system.devices import evaluation_device

FLEETS = {
    "no GPU": [worker_entry("t"), worker_entry("e", "evaluate")],
    "GPU trains": [worker_entry("t", device="cuda:0"), worker_entry("e", "evaluate")],
    "GPU evaluates": [worker_entry("t"), worker_entry("e", "evaluate", device="cuda:1")],
    "both": [worker_entry("t", device="cuda:0"), worker_entry("e", "evaluate", device="cuda:0")],
}


def pipeline(small: Workplace, trains: Any, evaluates: Any) -> Pipeline:
    """A pipeline with these devices."""
    small.write()
    files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
    made = load_configuration(*files, experiment_mode=True).pipeline
    return msgspec.structs.replace(
        made,
        training=msgspec.structs.replace(made.training, device=trains),
        evaluation=msgspec.structs.replace(made.evaluation, device=evaluates),
    )


@pytest.mark.parametrize(
    ("trains", "evaluates", "on"),
    [
        ("auto", "auto", ["cpu", "cpu", "cpu", "cuda"]),
        ("cuda", "auto", ["cpu", "cpu", "cpu", "cuda"]),
        ("cpu", "auto", ["cpu", "cpu", "cpu", "cpu"]),
        ("auto", "cpu", ["cpu", "cpu", "cpu", "cpu"]),
        ("cpu", "cuda", [None, None, "cuda", "cuda"]),
    ],
)
def test_the_device_of_scores(small: Workplace, trains: str, evaluates: str, on: list[str | None]) -> None:
    """auto follows the trainings where an evaluate worker can; cuda is had or refused."""
    wanted = pipeline(small, trains, evaluates)
    for fleet, device in zip(FLEETS.values(), on, strict=True):
        if device is None:
            with pytest.raises(NotReadyError, match="no evaluate worker has a GPU"):
                evaluation_device(wanted, fleet)
        else:
            assert evaluation_device(wanted, fleet) == device

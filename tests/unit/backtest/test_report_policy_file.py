"""`--write`: a file that a pipeline can take its trigger from, or a sentence and nothing lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from workplace import Workplace

from shared.config.load import load_configuration
from shared.errors import ConfigurationError
from supervisor.backtest.report.policy_file import Line, Rows, Told, require_writable, write_policy

PRICE = {"training": 5, "error": 0.01, "metric": "auroc"}
DECIDE = {"policy": "threshold", "threshold": 0.02}
DAY_US = 86_400_000_000
TOLD = Told(
    pipeline="small",
    metric="accuracy",
    price="{training: 5, error: 0.01}",
    judged=Rows(800, 1999, 40 * DAY_US, 83 * DAY_US),
    fitted=Rows(0, 799, 0, 40 * DAY_US),
    policies=3,
    winner=Line("watch\nclosely", 0.87654321, 12, 1234.5, 100.25),
    period=Line("weekly", 0.8, 1, 1300.0, None, "33d"),
)


@pytest.mark.parametrize(
    "block",
    [
        {"policy": "time", "every": "7d", "cool_down": "12h"},
        {"policy": "performance", "every": 100, "decide": {"policy": "drop", "by": 0.05}},
        {"policy": "cost_threshold", "every": "7d", "price": {"training": 7, "error": 0.1, "metric": "auroc"}},
        {
            "policy": "ensemble",
            "combine": "any",
            "policies": [{"policy": "cost_threshold", "every": 50, "price": PRICE}],
        },
        {"policy": "data_drift", "every": 100, "statistics": [{"name": "mmd", "decide": DECIDE}]},
        {"policy": "performance_forecast", "every": 100, "price": None},
    ],
    ids=lambda block: block["policy"],
)
def test_it_is_a_trigger_of_a_pipeline(small: Workplace, block: dict[str, Any]) -> None:
    """Put into the pipeline it is the same policy, with a price; above it stands what it came to."""
    path = small.folder / "policy.yaml"
    write_policy(path, block, PRICE, TOLD)
    text = path.read_text()
    small.pipeline.pop("trigger")
    small.write()
    with (small.folder / "pipeline.yaml").open("a") as pipeline:
        pipeline.write(text)
    loaded = load_configuration(small.folder / "pipeline.yaml", small.folder / "config.yaml", experiment_mode=True)
    assert loaded.pipeline_source.values["trigger"] == {**block, "price": block.get("price") or PRICE}
    assert text.partition("trigger:\n")[0] == (
        "# Policy watch closely, the least costly of 3 policies in a back-test of pipeline small.\n"
        "# Its parameters were fitted on keys 0 to 799 (1970-01-01 00:00 to 1970-02-10 00:00).\n"
        "# What it came to on keys 800 to 1,999 (1970-02-10 00:00 to 1970-03-25 00:00), which fitting did not see:\n"
        "# watch closely: accuracy 0.8765, 12 trainings, cost 1,234.5, regret 100.25.\n"
        "# The best fixed period there was weekly, each 33d: accuracy 0.8000, 1 training, cost 1,300.\n"
        "# The price is {training: 5, error: 0.01}. Regret is the cost beyond that of the best schedule in hindsight.\n"
    )


def test_what_cannot_be_written_loses_nothing(tmp_path):
    """What stood there stands, and nothing else is left behind."""
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "policy.yaml").mkdir()  # has come since it was asked for
    with pytest.raises(ConfigurationError, match=r"^--write .*policy.yaml cannot be written: Is a directory"):
        write_policy(folder / "policy.yaml", {"policy": "time", "every": "7d"}, PRICE, TOLD)
    assert os.listdir(folder) == ["policy.yaml"]


def test_a_place_is_refused_before_anything_is_trained(tmp_path):
    """With what is wrong with it."""
    read = tmp_path / "pipeline.yaml"
    read.write_text("")
    require_writable(tmp_path / "policy.yaml", [read])

    def told(path: Path) -> str:
        with pytest.raises(ConfigurationError) as refused:
            require_writable(path, [read])
        return str(refused.value).removeprefix(f"--write {path} ")

    remedy = "Name a file in a folder that exists and that you may write in."
    assert told(tmp_path) == f"cannot be written: it is a folder. {remedy}"
    assert told(tmp_path / "no" / "p.yaml") == f"cannot be written: there is no folder {tmp_path}/no. {remedy}"
    assert told(read) == "would replace a file that this back-test reads; name another one."
    (tmp_path / "link.yaml").symlink_to(read)
    assert told(tmp_path / "link.yaml") == "would replace a file that this back-test reads; name another one."
    if os.geteuid():  # root may write everywhere
        (tmp_path / "kept").mkdir(mode=0o500)
        assert "is not yours to write in" in told(tmp_path / "kept" / "p.yaml")


def test_a_price_that_no_block_can_have_is_not_written(tmp_path):
    """One of seconds, which the lines above the block tell."""
    write_policy(tmp_path / "policy.yaml", {"policy": "time", "every": "7d"}, None, TOLD)
    assert "price:" not in (tmp_path / "policy.yaml").read_text()

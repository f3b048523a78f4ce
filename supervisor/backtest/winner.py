"""`--write`: the least costly policy of a back-test, as a file that a pipeline's `trigger:` can be taken from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from supervisor.backtest.backtest import Backtested
from supervisor.backtest.grid.policies_file import Policies
from supervisor.backtest.judging.course import Stretch
from supervisor.backtest.replaying.recorded_stream import RecordedStream
from supervisor.backtest.report.policy_file import Line, Rows, Told, write_policy
from supervisor.backtest.stretches import time_at

_PERIODS = ("time", "data_amount")


def write_winner(path: Path, found: Backtested, policies: Policies, stream: RecordedStream) -> None:
    """Write it. `policies` have a price. Raises ConfigurationError if it cannot be written."""
    of_all = found.content["policies"]
    winner, tested = of_all[0], found.tried[of_all[0]["name"]].tested
    periods = [one for one in of_all if _is_period(one["trigger"])]
    period = periods[0] if periods and periods[0] is not winner else None
    told = Told(
        pipeline=policies.configuration.pipeline.pipeline.name,
        metric=policies.metric.label,
        price=policies.prices[0].text,
        judged=_rows(found.judge_on, stream),
        fitted=None if found.fit_on is None else _rows(found.fit_on, stream),
        policies=len(of_all),
        winner=_line(winner),
        period=None if period is None else _line(period, period["trigger"]["every"]),
    )
    write_policy(path, tested.block, policies.prices[0].block(policies.metric), told)


def _is_period(block: Mapping[str, Any]) -> bool:
    """Whether it fires by a fixed period alone."""
    return block["policy"] in _PERIODS and block.keys() <= {"policy", "every", "anchor", "price"}


def _line(policy: Mapping[str, Any], every: str | int | None = None) -> Line:
    told = {key: policy[key] for key in Line._fields if key != "every"}
    return Line(**told, every=every)


def _rows(stretch: Stretch, stream: RecordedStream) -> Rows:
    return Rows(*stretch, time_at(stream, stretch.first_key), time_at(stream, stretch.last_key))

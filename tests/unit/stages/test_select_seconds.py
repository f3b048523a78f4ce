"""What selecting takes is told with what was selected."""

from __future__ import annotations

import random
import time

from one_process import OneProcess
from workplace import Workplace

from shared.messages.reports import Selected


def test_a_selection_tells_its_seconds(small: Workplace) -> None:
    """The journaled ones stand in the summary: more than none, and less than all that went on."""
    began_s, run = time.monotonic(), OneProcess(small, random.Random(0))
    run.start()
    summary = run.to_its_end()
    told = [report.select_s or 0.0 for _, report in run.done if isinstance(report, Selected)]
    assert [one["select_s"] for one in summary["trigger_list"]] == told
    assert min(told) > 0
    assert sum(told) < time.monotonic() - began_s

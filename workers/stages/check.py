"""check: what only the framework can find wrong with pipeline.yaml."""

from __future__ import annotations

from typing import Any

from shared.messages import AnyReport, Checked, Finding
from workers import child
from workers.stages.work import Work
from workers.training.check import check


def run_check(work: Work) -> tuple[AnyReport, Any]:
    """Build and try everything; the findings are reported, not raised."""
    wanted = work.record.pipeline.training.device
    device = child.device() if wanted == "auto" else wanted
    found = check(work.record.pipeline, work.dataset(), work.record.trusted_modules, device)
    findings = tuple(Finding(path=one.path, sentence=one.sentence, exit_code=one.exit_code) for one in found)
    return Checked(**work.who, findings=findings), {}

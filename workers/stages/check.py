"""check: what only the framework can find wrong with pipeline.yaml."""

from __future__ import annotations

from typing import Any

from shared.messages.reports import AnyReport, Checked
from workers.check import check
from workers.stages.work import Work


def run(work: Work) -> tuple[AnyReport, Any]:
    """Build and try everything; the findings are reported, not raised."""
    wanted = work.record.pipeline.training.device
    device = work.child.device if wanted == "auto" else wanted
    found = check(work.record.pipeline, work.dataset(), work.record.trusted_modules, device)
    return Checked(**work.who, findings=tuple(found)), {}

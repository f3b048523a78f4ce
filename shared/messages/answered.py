"""What `python -m workers.questions` is asked and says, in lines."""

from __future__ import annotations

from typing import Any

from shared.messages.message import Body
from shared.messages.tasks import DetectTask


class Questioned(Body, frozen=True, kw_only=True):
    """A question, and whose model and rows it is about."""

    run: int  # which of the setup records that came first
    task: DetectTask


class Answered(Body, frozen=True, kw_only=True):
    """The detector's answer, or why there is none."""

    answer: dict[str, Any] = {}
    error: str | None = None  # a sentence

"""What `python -m workers.questions` says to a DetectTask, in a line."""

from __future__ import annotations

from typing import Any

from shared.messages.message import Body


class Answered(Body, frozen=True, kw_only=True):
    """The detector's answer, or why there is none."""

    answer: dict[str, Any] = {}
    error: str | None = None  # a sentence

"""Answers a policy's questions about rows in a local process, by the detectors that workers have; without a broker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from shared.ids import TriggerId
from shared.messages.answered import Questioned
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import DetectTask, ModelRef
from supervisor.backtest.replaying.answering import Answering
from supervisor.backtest.replaying.replay import CannotTellError, Posed
from supervisor.core.attempts import Who
from supervisor.core.questions import detect_task


class LocalAnswers:
    """Of models it knows nothing: a question about one only a run can answer.

    The process begins with the first question, and ends with this context.
    """

    def __init__(self, record: SetupRecord, folders: Sequence[Path]) -> None:
        """`folders`: where the user's own modules lie."""
        self._record = record
        self._answering = Answering([record], folders, most=1)

    def __enter__(self) -> LocalAnswers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._answering.__exit__(kind, error, at)

    def answer(self, posed: Posed, model: TriggerId | None) -> dict[str, Any]:
        """As a worker's; without a model as long as no trigger has one. Raises CannotTellError, NotReadyError."""
        if posed.asked.needs_model and model is not None:
            raise CannotTellError(f"the policy asks what the model of trigger {model} makes of these rows")
        return self._answering.answer(Questioned(run=0, task=task_of(posed, self._record, None)))


def task_of(posed: Posed, record: SetupRecord, model: ModelRef | None) -> DetectTask:
    """What a worker of that run would be told."""
    who = Who(run_id=record.run_id, trigger_id=posed.trigger, setup_version=record.version, attempt=1)
    return detect_task(posed.asked, who, posed.number, posed.left_out, model)

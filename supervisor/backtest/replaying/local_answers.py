"""Answers a policy's questions about rows in a local process, by the detectors that workers have; without a broker."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from shared.errors import NotReadyError
from shared.ids import TriggerId
from shared.messages.answered import Answered
from shared.messages.setup_record import SetupRecord
from supervisor.backtest.replaying.replay import CannotTellError, Posed
from supervisor.core.attempts import Who
from supervisor.core.questions import detect_task
from supervisor.system.asked_process import AskedProcess

_MODULE = "workers.questions"


class LocalAnswers:
    """Of models it knows nothing: a question about one only a run can answer.

    The process begins with the first question, and ends with this context.
    """

    def __init__(self, record: SetupRecord, folders: Sequence[Path]) -> None:
        """`folders`: where the user's own modules lie."""
        self._record, self._folders = record, folders
        self._process: AskedProcess | None = None

    def __enter__(self) -> LocalAnswers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None:
            self._process.end()

    def answer(self, posed: Posed, model: TriggerId | None) -> dict[str, Any]:
        """As a worker's; without a model as long as no trigger has one. Raises CannotTellError, NotReadyError."""
        asked = posed.asked
        if asked.needs_model and model is not None:
            raise CannotTellError(f"the policy asks what the model of trigger {model} makes of these rows")
        run_id, version = self._record.run_id, self._record.version
        of_trigger = Who(run_id=run_id, trigger_id=posed.trigger, setup_version=version, attempt=1)
        task = detect_task(asked, of_trigger, posed.number, posed.left_out, None)
        answered = self._ask(msgspec.json.encode(task))
        if answered.error is not None:
            raise NotReadyError(answered.error)
        return answered.answer

    def _ask(self, line: bytes) -> Answered:
        process = self._process
        try:
            if process is None:
                process = self._process = self._started()
            process.tell(line)
        except BrokenPipeError:
            found = None
        else:
            found = process.answer()
        if found is None:
            ended = "" if process is None else process.how_it_ended()
            raise NotReadyError(f"the process that answers the policy's questions ended with {ended}")
        return msgspec.json.decode(found, type=Answered)

    def _started(self) -> AskedProcess:
        if find_spec("torch") is None:
            raise NotReadyError(
                "the policy has a detector look at rows, and PyTorch, which detectors need, is not installed here. "
                'Install Modyn with its extra: pip install ".[worker]".'
            )
        process = AskedProcess(_MODULE, self._folders)
        process.tell(msgspec.json.encode(self._record))
        return process

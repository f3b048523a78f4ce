"""`python -m workers.questions`: a trigger policy's questions are answered without a broker; JSON lines in and out."""

from __future__ import annotations

from collections.abc import Sequence

from shared.claims import Attempt
from shared.ids import WorkerId, task_id
from shared.messages.answered import Answered, Questioned
from shared.messages.reports import Detected
from shared.messages.setup_record import SetupRecord
from workers.alone import Alone
from workers.asked import answer_lines, why
from workers.stages import detect
from workers.stages.work import Work


def answer(question: Questioned, records: Sequence[SetupRecord], process: Alone) -> Answered:
    """As a worker of a fleet would, or a sentence with why there is none."""
    task, record = question.task, records[question.run]
    identifier = task_id(record.run_id, task.trigger_id, "detect", task.number)
    attempt = Attempt(
        run_id=record.run_id, task_id=identifier, number=task.attempt, worker=WorkerId("questions-000000000000")
    )
    try:
        report, _ = detect.run(Work(task=task, record=record, attempt=attempt, results=[], child=process))
    except (Exception, SystemExit) as error:  # a detector may be anybody's
        return Answered(error=f"detector {task.detector}, asked at key {task.key}: {why(error)}")
    assert isinstance(report, Detected)
    return Answered(answer=report.answer)


if __name__ == "__main__":
    answer_lines("workers.questions", __doc__, Questioned, answer)

"""`python -m workers.questions`: a trigger policy's questions are answered without a broker; JSON lines in and out."""

from __future__ import annotations

import argparse

import msgspec

from shared.blame import blame
from shared.claims import Attempt
from shared.errors import ModynError
from shared.ids import WorkerId, task_id
from shared.messages.answered import Answered, Questioned
from shared.messages.reports import Detected
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import DetectTask
from shared.processes import end_with_parent
from workers.alone import Alone
from workers.failures import explain
from workers.stages import detect
from workers.stages.work import Process, Work
from workers.streams import input_alone, output_alone


def main() -> None:
    """Read setup records, a list in one line, then questions, a line each; answer each as soon as it can be.

    Nothing else comes to standard output. What cannot be answered is answered with a sentence.
    """
    parser = argparse.ArgumentParser(prog="python -m workers.questions", description=__doc__)
    parser.add_argument("--parent-pid", type=int, required=True, help="end at once when this process does")
    end_with_parent(parser.parse_args().parent_pid)
    process = Alone()
    with input_alone() as asked, output_alone() as answers:
        records = msgspec.json.decode(asked.readline(), type=tuple[SetupRecord, ...])
        for line in asked:
            question = msgspec.json.decode(line, type=Questioned)
            found = answer(question.task, records[question.run], process)
            answers.write(msgspec.json.encode(found) + b"\n")
            answers.flush()


def answer(task: DetectTask, record: SetupRecord, process: Process) -> Answered:
    """As a worker of a fleet would, or a sentence with why there is none."""
    identifier = task_id(record.run_id, task.trigger_id, "detect", task.number)
    attempt = Attempt(
        run_id=record.run_id, task_id=identifier, number=task.attempt, worker=WorkerId("questions-000000000000")
    )
    try:
        report, _ = detect.run(Work(task=task, record=record, attempt=attempt, results=[], child=process))
    except (Exception, SystemExit) as error:  # a detector may be anybody's
        return Answered(error=_why(error, task))
    assert isinstance(report, Detected)
    return Answered(answer=report.answer)


def _why(error: BaseException, task: DetectTask) -> str:
    """What went wrong; there is no run here that could be resumed."""
    if isinstance(error, ModynError):
        told = str(error).replace("then --resume", "then try again")
    else:
        told = explain(error) or f"it raised {blame(error)}."
    return f"detector {task.detector}, asked at key {task.key}: {told}"


if __name__ == "__main__":
    main()

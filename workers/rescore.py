"""`python -m workers.rescore`: windows are scored anew, without a broker; JSON lines in, a JSON line out for each."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import msgspec

from shared.blame import blame
from shared.errors import ModynError
from shared.messages.rescore import Rescore, Rescored
from shared.messages.setup_record import SetupRecord
from shared.processes import end_with_parent
from workers.alone import Alone
from workers.failures import explain
from workers.stages.rescore import rescore
from workers.streams import input_alone, output_alone


def main() -> None:
    """Read the runs' setup records, a list in one line, then requests, a line each; answer each as soon as it can be.

    Nothing else comes to standard output. A window that cannot be scored is answered with a sentence.
    """
    parser = argparse.ArgumentParser(prog="python -m workers.rescore", description=__doc__)
    parser.add_argument("--parent-pid", type=int, required=True, help="end at once when this process does")
    end_with_parent(parser.parse_args().parent_pid)
    process = Alone()
    with input_alone() as asked, output_alone() as answers:
        records = msgspec.json.decode(asked.readline(), type=tuple[SetupRecord, ...])
        for line in asked:
            found = answer(msgspec.json.decode(line, type=Rescore), records, process)
            answers.write(msgspec.json.encode(found) + b"\n")
            answers.flush()


def answer(wanted: Rescore, records: Sequence[SetupRecord], process: Alone) -> Rescored:
    """The scores of a window, or a sentence with why there are none."""
    record = records[wanted.run]
    try:
        scores = rescore(wanted, record, process)
    except (Exception, SystemExit) as error:  # a model may think that it is a program
        sentence = f"{record.artifacts_uri}: the window of trigger {wanted.trigger_id} cannot be evaluated anew: "
        return Rescored(run=wanted.run, trigger_id=wanted.trigger_id, error=sentence + _why(error))
    return Rescored(run=wanted.run, trigger_id=wanted.trigger_id, scores=scores)


def _why(error: BaseException) -> str:
    """What went wrong; there is no run here that could be resumed."""
    if isinstance(error, ModynError):
        return str(error).replace("then --resume", "then compare again")
    return explain(error) or f"it raised {blame(error)}."


if __name__ == "__main__":
    main()

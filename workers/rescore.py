"""`python -m workers.rescore`: windows are scored anew, without a broker; JSON lines in, a JSON line out for each."""

from __future__ import annotations

from collections.abc import Sequence

from shared.messages.rescore import Rescore, Rescored
from shared.messages.setup_record import SetupRecord
from workers.alone import Alone
from workers.asked import answer_lines, why
from workers.stages.rescore import rescore


def answer(wanted: Rescore, records: Sequence[SetupRecord], process: Alone) -> Rescored:
    """The scores of a window, or a sentence with why there are none."""
    record = records[wanted.run]
    try:
        scores = rescore(wanted, record, process)
    except (Exception, SystemExit) as error:  # a model may think that it is a program
        told = f"the window of trigger {wanted.trigger_id} cannot be evaluated anew: {why(error)}"
        return Rescored(run=wanted.run, trigger_id=wanted.trigger_id, error=f"{record.artifacts_uri}: {told}")
    return Rescored(run=wanted.run, trigger_id=wanted.trigger_id, scores=scores)


if __name__ == "__main__":
    answer_lines("workers.rescore", __doc__, Rescore, answer)

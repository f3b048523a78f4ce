"""`python -m workers.row_losses`: losses of models by row, without a broker; JSON lines in and out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import msgspec

from shared.blame import blame
from shared.errors import ModynError
from shared.messages.row_losses import LossesMeasured, MeasureLosses
from shared.messages.setup_record import SetupRecord
from shared.processes import end_with_parent
from workers.alone import Alone
from workers.failures import explain
from workers.stages.row_losses import measure
from workers.streams import input_alone, output_alone


def main() -> None:
    """Read the runs' setup records, a list in one line, then requests, a line each; answer each when it is done.

    Nothing else comes to standard output. What cannot be measured is answered with a sentence.
    """
    parser = argparse.ArgumentParser(prog="python -m workers.row_losses", description=__doc__)
    parser.add_argument("--parent-pid", type=int, required=True, help="end at once when this process does")
    end_with_parent(parser.parse_args().parent_pid)
    process = Alone()
    with input_alone() as asked, output_alone() as answers:
        records = msgspec.json.decode(asked.readline(), type=tuple[SetupRecord, ...])
        for line in asked:
            found = answer(msgspec.json.decode(line, type=MeasureLosses), records, process)
            answers.write(msgspec.json.encode(found) + b"\n")
            answers.flush()


def answer(wanted: MeasureLosses, records: Sequence[SetupRecord], process: Alone) -> LossesMeasured:
    """Nothing, once the files are there, or a sentence with why they are not."""
    record = records[wanted.run]
    try:
        measure(wanted, record, process)
    except (Exception, SystemExit) as error:  # a model may think that it is a program
        models = [one.model.trigger_id for one in wanted.models]
        which = f"the model of trigger {models[0]}" if len(models) == 1 else f"models {models[0]} to {models[-1]}"
        return LossesMeasured(
            run=wanted.run, error=f"{record.artifacts_uri}: the losses of {which} cannot be measured: {_why(error)}"
        )
    return LossesMeasured(run=wanted.run)


def _why(error: BaseException) -> str:
    """What went wrong; there is no run here that could be resumed."""
    if isinstance(error, ModynError):
        return str(error).replace("then --resume", "then try again")
    return explain(error) or f"it raised {blame(error)}."


if __name__ == "__main__":
    main()

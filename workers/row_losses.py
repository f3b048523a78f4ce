"""`python -m workers.row_losses`: losses of models by row, without a broker; JSON lines in and out."""

from __future__ import annotations

from collections.abc import Sequence

from shared.messages.row_losses import LossesMeasured, MeasureLosses
from shared.messages.setup_record import SetupRecord
from workers.alone import Alone
from workers.asked import answer_lines, why
from workers.stages.row_losses import measure


def answer(wanted: MeasureLosses, records: Sequence[SetupRecord], process: Alone) -> LossesMeasured:
    """Nothing, once the files are there, or a sentence with why they are not."""
    record = records[wanted.run]
    try:
        measure(wanted, record, process)
    except (Exception, SystemExit) as error:  # a model may think that it is a program
        models = [one.model.trigger_id for one in wanted.models]
        which = f"the model of trigger {models[0]}" if len(models) == 1 else f"models {models[0]} to {models[-1]}"
        told = f"the losses of {which} cannot be measured: {why(error)}"
        return LossesMeasured(run=wanted.run, error=f"{record.artifacts_uri}: {told}")
    return LossesMeasured(run=wanted.run)


if __name__ == "__main__":
    answer_lines("workers.row_losses", __doc__, MeasureLosses, answer)

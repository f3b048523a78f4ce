"""After a resume: has who knows of late labels hear again of the rows that the run has seen, piece by piece."""

from __future__ import annotations

from shared.dataset.table import TableDataset
from supervisor.core.state import RunState
from supervisor.run.observe.labelling import Labelling, WithRows, hear_rows, hearing


class CatchingUp:
    """Nothing else reads rows again; where each label is known with its row there is nothing to do."""

    def __init__(self, labelling: Labelling, dataset: TableDataset, state: RunState) -> None:
        """Rows that are not followed, but may be selected, are heard of at once. Raises DataError."""
        first_key = state.started.first_key
        self.done = isinstance(labelling, WithRows) or state.stream.observed_key < first_key
        if self.done:
            hear_rows(labelling, dataset, state.first_usable_key, first_key)
        self._pieces = hearing(labelling, dataset, state.first_usable_key, state.stream.observed_key + 1)
        self._workers_read = labelling.workers_read

    @property
    def keeps_workers_waiting(self) -> bool:
        """Whether workers would miss labels until it is done."""
        return self._workers_read and not self.done

    def step(self) -> None:
        """One piece more. Raises DataError."""
        self.done = next(self._pieces, self) is self

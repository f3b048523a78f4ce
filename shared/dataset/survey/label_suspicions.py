"""A table of labels that looks wrong beside its rows. Sentences for people."""

from __future__ import annotations

from collections.abc import Iterator

from shared.dataset.survey.labels import LabelTable
from shared.dataset.survey.lost_zeros import lost_zeros
from shared.dataset.survey.survey import Survey
from shared.printable import printable
from shared.timestamps import format_timestamp


def label_suspicions(found: Survey) -> Iterator[str]:
    """A sentence for each thing that is suspected. None of it keeps a run from starting."""
    config = found.config
    if found.labels is None or config.labels is None:
        return
    for name in dict.fromkeys((config.labels.label, config.labels.known_at)):
        if name in found.dataset.schema.names and name not in config.own_columns:
            yield (
                f"{printable(name)}: stands in the rows, too. It is no feature, as it may be what is known later; the "
                "column of the table of labels is read. Rename the one in the rows if it is meant as a feature."
            )
    for table in (found.dataset, found.labels.table):
        yield from lost_zeros(table, config.labels.key)
    yield from _of_the_join(found.labels.understood(), found.times.ended_us)


def _of_the_join(table: LabelTable, now_us: int | None) -> Iterator[str]:
    by, usable = ", ".join(table.key), table.rows - table.null_keys
    if usable and table.without_row == usable:
        yield f"no row has the {by} of any of its {table.rows:,} labels. Is `key` of labels the column that both share?"
        return
    dated = table.labelled + table.waiting
    if 2 * table.early > dated:
        yield (
            f"{table.early:,} of {dated:,} rows with a label had it before their own time. Is known_at of labels the "
            "moment from which a label is known, and is timestamp that of the row?"
        )
    if table.waiting and not table.labelled and now_us is not None:
        now, first = format_timestamp(now_us), table.first_known_at
        come = f"no label of a row is known yet: event time has come to {now}"
        if first is not None and first > now:  # an earlier one is of no row
            come += f", and the first label is known at {first}"
        yield f"{come}. Nothing can be trained before one is known."

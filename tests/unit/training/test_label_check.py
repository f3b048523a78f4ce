"""The check of labels that stand in a table of their own, before it is known which is whose."""

from __future__ import annotations

import pytest
from late_labels import LABELS, ROWS, LateLabels
from workplace import Workplace

from shared.errors import RowError
from workers.features.labelled_rows import AnyLabels, LabelledRows
from workers.training.label_check import label_findings


@pytest.mark.parametrize(
    ("classes", "label", "said"),
    [
        (None, b"7", "The label at position 1 is 7, but the model knows the classes 0 to 1. Set num_classes to 8"),
        (
            ["ok", "bad"],
            b"bda",
            "The label at position 1 is 'bda', but the model knows the classes 'ok', 'bad'. Name it",
        ),
    ],
)
def test_a_label_of_no_class_is_named_by_its_position(small: Workplace, classes, label, said) -> None:
    """Not as if that were the key of its row."""
    late = LateLabels(small)
    small.config["storage"]["datasets"]["rows"] |= {} if classes is None else {"classes": classes}
    late.write("rows/a.csv", ROWS)
    first = b"1,0," if classes is None else b"1,ok,"
    late.write("labels/a.csv", LABELS.replace(b"1,0,", first).replace(b"2,1,", b"2," + label + b","))
    config = late.config
    source = LabelledRows(config, late.rows().entries, labels=AnyLabels(config, late.labels().entries))
    with pytest.raises(RowError) as told:
        label_findings(source, "CrossEntropyLoss", 2)
    assert str(told.value).startswith(f"In the table of labels: {said}")
    assert str(told.value).endswith("or mend the label.")

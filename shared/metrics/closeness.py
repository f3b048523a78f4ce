"""Which of two outputs of a model is larger: certain, or a matter of rounding."""

from __future__ import annotations

from typing import Any

_CLOSE = 2.0**-15  # of their mean; float32 outputs of one row were seen to differ by 2⁻²¹ of it


def are_close(outputs: Any, others: Any) -> Any:
    """Whether they may be in the other order when they are rounded otherwise; torch tensors, (rows,), none below 0."""
    return (outputs - others).abs() <= _CLOSE / 2 * (outputs + others)

"""What it means when a device fails: whose fault it is, and whether the process can go on."""

from __future__ import annotations

import pytest
import torch

from workers.failures import device_is_broken, explain, model_is_to_blame


def caused(by):
    """An error of ours, raised from one of torch's."""
    try:
        try:
            raise by
        except Exception as error:
            raise ValueError("the model failed") from error
    except ValueError as ours:
        return ours


@pytest.mark.parametrize(
    ("error", "broken", "blamed"),
    [
        (torch.AcceleratorError("CUDA error: uncorrectable ECC error encountered", 214), True, False),
        (RuntimeError("CUDA error: unspecified launch failure"), True, False),
        (torch.AcceleratorError("CUDA error: device-side assert triggered", 710), True, True),
        (RuntimeError("CUDA error: device-side assert triggered"), True, True),
        (torch.OutOfMemoryError("CUDA out of memory"), False, False),
        (RuntimeError("CUDA error: out of memory"), False, False),
        (ValueError("the model is wrong"), False, False),
    ],
)
def test_whose_fault_it_is(error, broken, blamed):
    """An index out of range in a kernel is the model's; the process is of no use all the same."""
    for one in (error, caused(error)):
        assert (device_is_broken(one), model_is_to_blame(one)) == (broken, blamed)
    error.__cause__ = caused(error)  # one that was raised from itself has no end
    assert (device_is_broken(error), model_is_to_blame(error)) == (broken, blamed)
    assert (explain(error) is None) == isinstance(error, ValueError)

"""What it means when memory or device fail: torch says it in many ways, people read one sentence."""

from __future__ import annotations

import torch


def explain(error: BaseException, rows: int | None = None) -> str | None:
    """The sentence for memory that ran out or a device that failed, None for anything else. `rows`: of the batch."""
    said = str(error).partition("\n")[0]  # the rest is advice on how to debug CUDA; it stays in the traceback
    where = "" if rows is None else f" on a batch of {rows} rows"
    if _is_memory(error):
        return f"Memory ran out{where}; start a run with a smaller training.batch_size, or a smaller model."
    if _of_device(error):
        return f"The device failed{where}: {said}"
    return None


def device_is_broken(error: BaseException | None) -> bool:
    """Whether this process can use its device no more: CUDA answers everything with the same error from now on."""
    return any(_of_device(one) and not _is_memory(one) for one in _with_causes(error))


def model_is_to_blame(error: BaseException | None) -> bool:
    """Whether a broken device is no fault of its own: a kernel found an index of the model's out of range."""
    return any("device-side assert" in str(one) for one in _with_causes(error))


def _with_causes(error: BaseException | None) -> list[BaseException]:
    """An error, what it was raised from, and so on; each once, as one may be its own cause."""
    found: list[BaseException] = []
    while error is not None and not any(error is one for one in found):
        found.append(error)
        error = error.__cause__
    return found


def _is_memory(error: BaseException) -> bool:
    """Whether memory ran out: CUDA says so in two ways, and torch has no error of its own for that of a CPU."""
    said = str(error)
    by_name = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    return by_name or "can't allocate memory" in said or said.startswith("CUDA error: out of memory")


def _of_device(error: BaseException) -> bool:
    return isinstance(error, torch.AcceleratorError) or str(error).startswith("CUDA error")

"""`python -m workers.offline_check`: the check without broker or dataset; JSON in, findings out."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

import msgspec

from shared.config.pipeline import Pipeline
from workers.training.check import check


def main() -> None:
    """Read [pipeline, trusted modules] from standard input; write only the findings to standard output."""
    pipeline, trusted = msgspec.json.decode(sys.stdin.buffer.read(), type=tuple[Pipeline, tuple[str, ...]])
    with _output_alone() as output:
        output.write(msgspec.json.encode(check(pipeline, None, trusted, "cpu")))


def _output_alone() -> BinaryIO:
    """Standard output; what a model's module or a library prints goes to standard error from now on."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    return output


if __name__ == "__main__":
    main()

"""Standard input and output for what a process is asked and answers alone, whatever a user's module reads or prints."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO


def output_alone() -> BinaryIO:
    """Standard output; what a model's module or a library prints goes to standard error from now on."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    sys.stdout = sys.stderr
    return output


def input_alone() -> BinaryIO:
    """Standard input; what else reads it finds nothing there from now on."""
    given = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    return given

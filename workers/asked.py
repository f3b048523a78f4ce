"""A process that is asked by lines and answers by lines, without a broker: `python -m` of a module that says how."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from shared.blame import blame
from shared.errors import ModynError
from shared.messages.setup_record import SetupRecord
from shared.processes import end_with_parent
from workers.alone import Alone
from workers.failures import explain
from workers.streams import input_alone, output_alone

Wanted = TypeVar("Wanted")


def answer_lines(
    module: str, does: str | None, kind: type[Wanted], answer: Callable[[Wanted, Sequence[SetupRecord], Alone], Any]
) -> None:
    """Read the runs' setup records, a list in one line, then requests of a `kind`, a line each; answer each in a line.

    `module`, `does`: what the help calls it, and says of it. Nothing else comes to standard output.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=does)
    parser.add_argument("--parent-pid", type=int, required=True, help="end at once when this process does")
    end_with_parent(parser.parse_args().parent_pid)
    process = Alone()
    with input_alone() as asked, output_alone() as answers:
        records = msgspec.json.decode(asked.readline(), type=tuple[SetupRecord, ...])
        for line in asked:
            found = answer(msgspec.json.decode(line, type=kind), records, process)
            answers.write(msgspec.json.encode(found) + b"\n")
            answers.flush()


def why(error: BaseException) -> str:
    """What went wrong; there is no run here that could be resumed."""
    if isinstance(error, ModynError):
        return str(error).replace("then --resume", "then try again")
    return explain(error) or f"it raised {blame(error)}."

"""`python -m workers.offline_check`: the check without broker or dataset; JSON in, findings out."""

from __future__ import annotations

import sys

import msgspec

from shared.config.pipeline import Pipeline
from workers.check import check
from workers.streams import output_alone


def main() -> None:
    """Read [pipeline, trusted modules] from standard input; write only the findings to standard output."""
    pipeline, trusted = msgspec.json.decode(sys.stdin.buffer.read(), type=tuple[Pipeline, tuple[str, ...]])
    with output_alone() as output:
        output.write(msgspec.json.encode(check(pipeline, None, trusted, "cpu")))


if __name__ == "__main__":
    main()

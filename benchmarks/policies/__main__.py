"""`python -m benchmarks.policies`: what policies are worth on real streams, beside rivals tuned on the same part.

A stream is a pipeline and a configuration. On a grid of candidate models, trained once, `backtest --tune` fits every
policy of the product on the first 40 % of the rows and judges it on the rest. On the same matrix of losses stand: the
best fixed period, tuned on the same part; a plain CUSUM on the loss, tuned on the same part; the online policies Base
and Learned of the package retrainopt, which learn from the same part; and the best schedule in hindsight.

A training costs a share of what the first model, kept, loses on the part that is learned from: `--shares`. So prices
follow from the stream. What is found is kept as JSON, a file a stream, and `--tables` makes the tables anew without
runs. A stream of your own:

    python -m benchmarks.policies --stream NAME --pipeline pipeline.yaml --config config.yaml --every 7d
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.policies.found import Found, read, write
from benchmarks.policies.streams import NAMES, Stream, shipped
from benchmarks.processes import PROJECT, end_in_order_when_asked

SHARES = (0.025, 0.005, 0.001)
_NEEDED = ("retrainopt", "sklearn")
_FOUND = Path(__file__).parent / "found"


def main() -> None:
    """Run what is asked for, then make the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policies", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", default=list(NAMES), choices=list(NAMES), help="of these streams")
    parser.add_argument("--stream", metavar="NAME", help="another stream instead, of --pipeline, --config and --every")
    parser.add_argument("--pipeline", type=Path)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--every", help="how far apart the grid's models are: so many rows, or event time such as 7d")
    parser.add_argument("--shares", nargs="*", type=float, default=list(SHARES), help="prices: %(default)s")
    parser.add_argument("--found", type=Path, default=_FOUND, help="where JSON files are kept")
    parser.add_argument("--folder", type=Path, default=PROJECT / "runs/policies", help="where grids are kept")
    parser.add_argument("--tables", action="store_true", help="run nothing")
    parser.add_argument("--write", type=Path, help="a page whose tables are replaced; a picture is put beside it")
    options = parser.parse_args()
    end_in_order_when_asked()
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        parser.error(f"{' and '.join(missing)}: not there; `pip install -r requirements-dev.txt` has the rivals.")
    streams = [_own(parser, options)] if options.stream is not None else [shipped(name) for name in options.only]
    if not options.tables:
        _run(streams, options)
    _report([found for one in streams if (found := read(options.found, one.name)) is not None], options.write)


def _own(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Stream:
    """The stream that is said on the command line."""
    if None in (options.pipeline, options.config, options.every):
        parser.error("--stream needs --pipeline, --config and --every")
    every = int(options.every) if options.every.isdecimal() else options.every
    return Stream(options.stream, options.pipeline.resolve(), options.config.resolve(), every)


def _run(streams: Sequence[Stream], options: argparse.Namespace) -> None:
    """One stream after the other."""
    from benchmarks.policies.comparison import compare  # noqa: PLC0415  (loads rivals)

    for stream in streams:
        why = stream.missing()
        if why is not None:
            print(f"{stream.name} is left out: {why}.", file=sys.stderr)
            continue
        write(options.found, compare(stream, options.folder.resolve() / stream.name, options.shares))


def _report(found: Sequence[Found], page: Path | None) -> None:
    """Tables on the terminal, or in a page with the picture beside it."""
    from benchmarks.policies.page import put, tables  # noqa: PLC0415

    if not found:
        print("nothing was found yet", file=sys.stderr)
        return
    made = tables(found)
    if page is None:
        print(made)
        return
    from benchmarks.policies.picture import draw  # noqa: PLC0415

    put(page, made)
    draw(found, page.with_suffix(".svg"))


if __name__ == "__main__":
    main()

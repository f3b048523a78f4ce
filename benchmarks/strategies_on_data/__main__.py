"""`python -m benchmarks.strategies_on_data`: what training on a share of the rows costs and gives.

All strategies on the digits of the example, three seeds; six of them, one seed, on sensors of gas (where
../shared/data is) and on a quarter of the flights (where the example has prepared them). Each is a sweep of the
program: five triggers, each training from scratch. `all_data` and `new_data` come first; all others then take so many
rows at each trigger, at most, that their sum is 50 %, 25 % and 12.5 % of what `all_data` trained on. Selecting and
training are processor seconds of the tasks, all triggers together; `by the clock` is both as summary.json has them.

What is found is kept as JSON lines, a file for each family of strategies on a stream; what is there already is not
run again. So a call that was stopped goes on with the next family, and `--tables` makes the tables anew without runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import PROJECT, end_in_order_when_asked
from benchmarks.strategies_on_data.asked import ALL, BASELINES, OF_OWN_SIZE, SHARES, Size, block_of, families, limit_of
from benchmarks.strategies_on_data.found import Found, file_of, means, read, write
from benchmarks.strategies_on_data.page import put, tables
from benchmarks.strategies_on_data.picture import draw
from benchmarks.strategies_on_data.streams import STREAMS
from benchmarks.strategies_on_data.sweeps import Asked, prepare, sweep

_HERE = Path(__file__).parent


def main() -> None:
    """Run what is missing, then make the tables; exit 1 if a run failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.strategies_on_data", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--only", nargs="*", default=list(STREAMS), choices=list(STREAMS), help="of these streams")
    parser.add_argument("--found", type=Path, default=_HERE / "found", help="where JSON lines are kept")
    parser.add_argument("--folder", type=Path, default=PROJECT / "runs/strategies", help="where runs are kept")
    parser.add_argument("--train", type=int, default=2, help="train workers")
    parser.add_argument("--tables", action="store_true", help="run nothing")
    parser.add_argument("--write", type=Path, help="a page whose tables are replaced; a picture is put beside it")
    options = parser.parse_args()
    end_in_order_when_asked()
    failed = [] if options.tables else [name for name in options.only if not _run(name, options)]
    found = {name: means(read(options.found, name, families(name))) for name in STREAMS}
    found = {name: of for name, of in found.items() if any(one.strategy == ALL for one in of)}
    made = tables(found)
    if options.write is None:
        print(made)
    else:
        put(options.write, made)
        draw(found, options.write.with_suffix(".svg"))
    sys.exit(1 if failed else 0)


def _run(stream: str, options: argparse.Namespace) -> bool:
    """What of a stream has not been run; whether all of it has a score."""
    folder = options.folder / stream
    if not prepare(folder, stream, options.train):
        print(f"{stream} is left out: {STREAMS[stream].missing}", file=sys.stderr)
        return True
    complete = True
    for family, strategies in families(stream).items():
        asked = _asked(stream, family, strategies, options.found)
        wanted = {(one.strategy, one.share, seed) for one in asked for seed in STREAMS[stream].seeds}
        if wanted <= {(one.strategy, one.share, one.seed) for one in read(options.found, stream, [family])}:
            continue
        began_s = time.monotonic()
        runs = sweep(folder, stream, asked)
        write(file_of(options.found, stream, family), runs)
        told = f"{len(runs)} of {len(wanted)} runs in {time.monotonic() - began_s:.0f} s"
        print(f"{stream}, {family}: {told}", file=sys.stderr, flush=True)
        complete = complete and len(runs) == len(wanted)
    return complete


def _asked(stream: str, family: str, strategies: Sequence[str], found: Path) -> list[Asked]:
    """Of the baselines one each; of the others one for each share. Raises RuntimeError if the baselines are missing."""
    half_life = STREAMS[stream].half_life
    if family == BASELINES:
        size = Size(share=1.0, limit=0, half_life=half_life)
        return [Asked(family, name, None, block_of(family, name, size)) for name in strategies]
    all_rows = _all_rows(read(found, stream, [BASELINES]))
    sizes = [Size(share=share, limit=limit_of(share, all_rows), half_life=half_life) for share in SHARES]
    own = [Asked(family, name, None, block_of(family, name, sizes[0])) for name in strategies if name in OF_OWN_SIZE]
    others = [name for name in strategies if name not in OF_OWN_SIZE]
    return own + [Asked(family, name, size.share, block_of(family, name, size)) for name in others for size in sizes]


def _all_rows(baselines: Sequence[Found]) -> tuple[int, ...]:
    """That each trigger can take, as a run of all_data took them; the same with each seed."""
    taken = next((one.selected for one in baselines if one.strategy == ALL), None)
    if taken is None:
        raise RuntimeError(f"{ALL} has no score, and the others' sizes come of it; mend that, and call again.")
    return taken


if __name__ == "__main__":
    main()

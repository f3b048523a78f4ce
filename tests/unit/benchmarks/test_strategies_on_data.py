"""What the comparison of strategies makes of sizes and runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.strategies_on_data.asked import limit_of
from benchmarks.strategies_on_data.found import Found, file_of, means, read, write
from benchmarks.strategies_on_data.page import put, tables


@given(rows=st.lists(st.integers(1, 10_000), min_size=1, max_size=9), share=st.floats(0.01, 1.0))
def test_a_limit_comes_to_its_share(rows: list[int], share: float) -> None:
    """All triggers together train on that share of what they could train on, and on less with any smaller limit."""
    limit = limit_of(share, rows)
    assert sum(min(limit, one) for one in rows) >= share * sum(rows)
    assert limit == 1 or sum(min(limit - 1, one) for one in rows) < share * sum(rows)


def run(strategy: str, share: float | None, score: float, train_s: float, seed: int = 0) -> Found:
    return Found(
        stream="digits",
        family="baselines" if share is None else "plain",
        strategy=strategy,
        share=share,
        seed=seed,
        score=score,
        rows=100,
        selected=(100,),
        select_s=1.0,
        train_s=train_s,
        clock_s=20.0,
    )


RUNS = [
    *(run("all_data", None, score, 9.0, seed) for seed, score in enumerate((0.78, 0.82))),
    run("uniform", 0.5, 0.795, 6.0),
    run("uniform", 0.25, 0.79, 4.0),
    run("uniform", 0.125, 0.7, 1.0),
    run("latest", 0.5, 0.78, 6.0),
]


def test_the_cheapest_that_reaches_the_score_counts(tmp_path: Path) -> None:
    """Seconds of selecting and training, against those of all data; nothing where no share reaches it."""
    found = file_of(tmp_path, "digits", "plain")
    write(found, RUNS)
    lines = tables({"digits": means(read(tmp_path, "digits", ["plain", "memories"]))}).splitlines()
    assert "| needed: all_data less 0.01 | .790 |" in lines
    assert "| uniform | 5.0 s, 50 % with 25 % |" in lines
    assert "| latest | – |" in lines
    assert "| – | all_data | .800 | .040 | 100 | 1.00 s | 9.00 s | 10.00 s | 20.00 s |" in lines


def test_tables_take_the_place_of_those_before(tmp_path: Path) -> None:
    """What stands around them stays; a page without a place for them is refused."""
    page = tmp_path / "page.md"
    page.write_text("# A\n\n<!-- made by benchmarks.strategies_on_data: begin -->\nold\n<!-- end -->\n\nB\n")
    put(page, "new")
    put(page, "newer")
    assert page.read_text().count("newer") == 1
    assert "old" not in page.read_text()
    assert page.read_text().startswith("# A\n")
    assert page.read_text().endswith("\n\nB\n")
    page.write_text("# A\n")
    with pytest.raises(ValueError, match="has no lines"):
        put(page, "new")

"""`--plot FILE`: the file itself, and when there can be none."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from compared_runs import compared, evenly
from workplace import environment

from shared.errors import ConfigurationError
from supervisor.cli.compare import run
from supervisor.compare.plot import plot, require_plot

CONTENT = compared({"a": evenly([0.5, 0.75]), "<b> & $c$": evenly([0.25, None]), "名": evenly([0.1])})
BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
from pathlib import Path
from shared.errors import NotReadyError
from supervisor.compare.plot import plot, require_plot
for asked in (lambda: require_plot(Path("a.svg")), lambda: plot({}, Path("a.svg"))):
    try:
        asked()
    except NotReadyError as error:
        print(error)
"""


def test_an_svg_has_text_that_can_be_searched(tmp_path: Path) -> None:
    """Names as they are, in any script, and never as markup."""
    plot(CONTENT, tmp_path / "a.svg")
    told = "\n".join(ElementTree.parse(tmp_path / "a.svg").getroot().itertext())
    assert all(name in told for name in ("accuracy of 3 runs", "<b> & $c$", "名"))


def test_a_png_is_one(tmp_path: Path) -> None:
    """By its suffix, in any case."""
    plot(CONTENT, tmp_path / "a.PNG")
    assert (tmp_path / "a.PNG").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["a.svg", "a.png"])
def test_the_same_comparison_has_the_same_bytes(tmp_path: Path, name: str) -> None:
    """Also in another process, at another time, and where somebody has settings of their own."""
    plot(CONTENT, tmp_path / name)
    (tmp_path / "matplotlibrc").write_text("axes.labelsize: 30\naxes.facecolor: red\nfont.family: monospace\n")
    code = (
        f"from pathlib import Path; from supervisor.compare.plot import plot; plot({CONTENT!r}, Path('other-{name}'))"
    )
    told = {**environment(), "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=told, capture_output=True, check=True)
    assert done.stderr == b""
    assert (tmp_path / f"other-{name}").read_bytes() == (tmp_path / name).read_bytes()


def test_what_stood_there_is_replaced(tmp_path: Path) -> None:
    """And nothing is left beside it."""
    (tmp_path / "a.svg").write_text("old")
    plot(CONTENT, tmp_path / "a.svg")
    assert [one.name for one in tmp_path.iterdir()] == ["a.svg"]
    assert "old" not in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.svg.gz"])
def test_another_suffix_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is drawn, and when it is."""
    for asked in (lambda: require_plot(tmp_path / name), lambda: plot(CONTENT, tmp_path / name)):
        with pytest.raises(ConfigurationError, match=r"--plot .*name a file that ends in \.svg or \.png\.$"):
            asked()


@pytest.mark.parametrize("place", ["no/a.svg", "folder.svg", "file/a.svg"])
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, place: str) -> None:
    """In a folder that is not there, a folder of that name, a file where a folder should be; nothing is left there."""
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "file").touch()
    for asked in (require_plot, lambda at: plot(CONTENT, at)):
        with pytest.raises(ConfigurationError, match=r"^--plot .* cannot be written: .+\. Name a file in a folder"):
            asked(tmp_path / place)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.svg"]


def test_without_matplotlib_the_remedy_is_told(tmp_path: Path) -> None:
    """A supervisor need not have it."""
    command = [sys.executable, "-c", BLOCKED]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == second
    assert first.startswith("--plot needs matplotlib, which cannot be imported here (No module named 'matplotlib")
    assert first.endswith('pip install ".[plot]".')


def test_scores_are_told_also_where_the_picture_cannot_be_written(
    make_up: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was evaluated anew for it may have taken long."""
    run_dir = make_up("a")
    picture = run_dir / f"{'x' * 250}.svg"  # with what is put before it until it is whole, it is too long
    options = {"sort": None, "json": False, "csv": False, "windows": False}
    with pytest.raises(ConfigurationError, match="cannot be written"):
        run(Namespace(run_dirs=[run_dir], plot=picture, **options))
    assert "on the 900 rows that it scored" in capsys.readouterr().out

"""Processes that score windows anew: as many as are wanted, which answer for all runs, and are gone afterwards."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest
from kinds_of_labels import in_a_table, in_rows
from one_process import OneProcess
from rescoring import requests, to_score
from workplace import PROJECT, environment

from shared.errors import NotReadyError
from shared.messages.rescore import Rescore
from supervisor.compare.anew import score_anew
from supervisor.compare.rescorers import Rescorers
from supervisor.compare.run_to_score import RunToScore
from supervisor.system.user_code import user_code

TALKING = """
import os
import sys
import torch

print("a model that talks")
os.write(1, b"and writes\\n")
assert not sys.stdin.isatty()
{more}


class Net(torch.nn.Module):
    def __init__(self, in_features):
        super().__init__()
        self.linear = torch.nn.Linear(in_features, {classes})

    def forward(self, rows):
        print("I predict")
        return self.linear(rows)
"""


@pytest.fixture(autouse=True)
def _leaves_nobody_behind() -> Iterator[None]:
    before = set(psutil.Process().children())
    yield
    assert set(psutil.Process().children()) <= before


def done(small) -> OneProcess:
    """A run that is over."""
    run = OneProcess(small, random.Random(5))
    run.start()
    run.to_its_end()
    return run


def of_own_model(folder: Path, module: str, monkeypatch: pytest.MonkeyPatch) -> tuple[OneProcess, RunToScore]:
    """A run whose model lies beside config.yaml, two folders above its own."""
    small = in_rows(folder, "classes")
    (folder / f"{module}.py").write_text(TALKING.format(classes=3, more=""))
    small.pipeline["model"] = {"id": f"{module}:Net"}
    small.config["trusted_modules"] = [module]
    monkeypatch.syspath_prepend(str(folder))
    run = done(small)
    monkeypatch.undo()
    return run, to_score(run)._replace(code=user_code(run.configuration))


def test_several_processes_answer_for_several_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of what they were asked, with the scores of the runs, whatever a model prints."""
    one, to_score_one = of_own_model(tmp_path / "a", "talks_and_is_heard", monkeypatch)
    other = done(in_a_table(tmp_path / "b", "texts"))
    asked = sorted([*requests(one, 0), *requests(other, 1)], key=lambda pair: pair[0].trigger_id)
    told: list[tuple[int, int]] = []
    found = score_anew(
        [to_score_one, to_score(other)],
        [wanted for wanted, _ in asked],
        lambda *progress: told.append(progress),
        processes=2,
    )
    assert [answer.scores for answer in found] == [expected for _, expected in asked]
    assert told == [(number, len(asked)) for number in range(1, len(asked) + 1)]
    assert not list(Path("/tmp").glob(f"modyn-labels-*-{os.getpid()}-*"))


def test_nothing_is_started_for_nothing() -> None:
    """Where no window is cut, nothing needs PyTorch."""
    assert score_anew([], [], lambda *_: pytest.fail("there is no progress")) == []


def test_a_module_that_is_gone_or_ends_its_process_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run and trigger are named where somebody lives to tell, and else how the process ended."""
    run, known = of_own_model(tmp_path / "a", "talks_and_goes", monkeypatch)
    wanted = [one for one, _ in requests(run)][:2]
    file = tmp_path / "a" / "talks_and_goes.py"
    file.write_text(TALKING.format(classes=3, more="os.write(2, b'that is the end\\n')\nos._exit(7)"))
    ended = "a/run, window of trigger 0: the process .* ended with exit code 7: that is the end"
    with pytest.raises(NotReadyError, match=ended):
        score_anew([known], wanted, lambda *_: None, processes=1)
    file.unlink()
    with pytest.raises(NotReadyError) as caught:
        score_anew([known], wanted, lambda *_: None, processes=1)
    assert str(caught.value).startswith(f"{run.directory.path}: the window of trigger ")
    assert "talks_and_goes" in str(caught.value)


def test_they_end_when_the_process_ends_that_started_them(tmp_path: Path) -> None:
    """However that ends."""
    run = done(in_rows(tmp_path / "a", "classes"))
    wanted, _ = requests(run)[0]
    (tmp_path / "asked").write_bytes(msgspec.json.encode([run.record, wanted]))
    code = f"""
        import time, msgspec
        from shared.messages.rescore import Rescore
        from shared.messages.setup_record import SetupRecord
        from supervisor.compare.rescorers import Rescorers
        record, wanted = msgspec.json.decode(open({str(tmp_path / "asked")!r}).read(), type=tuple[SetupRecord, Rescore])
        with Rescorers(1, [record], []) as rescorers:
            for _ in rescorers.answers([(0, wanted)]):
                print("answered", flush=True)
                time.sleep(60)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, cwd=PROJECT, env=environment()
    )
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"answered\n"
        (child,) = psutil.Process(parent.pid).children()
        os.kill(parent.pid, signal.SIGKILL)
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_they_end_when_nobody_waits_for_their_answers(tmp_path: Path) -> None:
    """Also in the middle of one."""
    run = done(in_rows(tmp_path / "a", "classes"))
    asked: list[tuple[int, Rescore]] = [(number, wanted) for number, (wanted, _) in enumerate(requests(run))]
    with Rescorers(2, [run.record], []) as rescorers:
        for _ in rescorers.answers(asked):
            break

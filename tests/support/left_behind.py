"""What a command leaves running, and what it says when it refuses."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psutil
from workplace import Workplace

from shared.temporary import private_folders


def processes_of(folder: Path) -> list[str]:
    """Command lines of the processes, but for this one, that have a folder in their command line or environment."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(folder) in word for word in words):
            found.append(" ".join(process.cmdline()))
    return found


def slots_of(pid: int) -> list[Path]:
    """The folders through which the processes of a worker, whose main process this is, tell each other what they do."""
    return [folder for folder, maker in private_folders() if "-worker-" in folder.name and maker.pid == pid]


def assert_refused(done: subprocess.CompletedProcess[str], workplace: Workplace, code: int, *told: str) -> None:
    """The command ended with `code`, said all that is `told` in sentences, and left no run and nothing running."""
    assert done.returncode == code, done.stderr
    assert [words for words in told if words not in done.stderr] == [], done.stderr
    assert "Traceback" not in done.stderr
    assert not workplace.run_dir.exists()
    assert_nothing_runs(workplace)


def assert_nothing_runs(workplace: Workplace) -> None:
    """No process of the workplace is left, and no address of a broker."""
    assert processes_of(workplace.folder) == []
    assert not (workplace.folder / "runs" / ".broker.json").exists()

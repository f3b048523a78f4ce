"""A scene: a folder that is followed by one production run, and all that can be seen of it from outside."""

from __future__ import annotations

import argparse
import io
import json
import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import redirect_stdout, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes import end, start
from shared.dataset.manifest import manifest_path, read_manifest
from shared.errors import NotReadyError
from supervisor.cli import fleet, runs

EVERY = 12  # rows a trigger
_POLL = "0.3s"
_LOOK_EVERY_S = 0.3
_END_S = 60.0
_PIPELINE: dict[str, Any] = {
    "pipeline": {"name": "hostile"},
    "model": {"id": "logistic", "config": {"num_classes": 2}},
    "training": {"epochs": 1},
    "data": {"dataset": "rows"},
    "trigger": {"policy": "data_amount", "every": EVERY},
    "strategy": {"name": "new_data"},
    "initial_mode": "replay",
    "evaluation": {"metrics": ["accuracy"], "models": {"newest": 1}},
}


class Hook:
    """A webhook on this machine that hears alerts."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        heard = self.heard

        class Post(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Post)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self) -> None:
        """Hear no more."""
        self._server.shutdown()
        self._server.server_close()


_FEATURES = ("id", "x0", "x1")  # also where a file with more columns comes first


class Scene:
    """The folder `data`, and the run that follows it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.run_dir = folder, folder / "data", folder / "runs/hostile/run"
        self.manifest = manifest_path(str(folder / "runs"), "rows")
        self.config, self._log = folder / "config.yaml", folder / "log"
        self.hook = Hook()
        self.supervisor: subprocess.Popen[bytes] | None = None
        self.sessions, self._stopping = 0, False
        self._offsets: list[int] = []  # where each session begins in the log
        self._printed: dict[Any, tuple[float, str]] = {}
        self.data.mkdir()
        config = {
            "storage": {"datasets": {"rows": {"uri": "data/", "features": list(_FEATURES)}}},
            "fleet": {"train": 1, "evaluate": 1, "device": "cpu"},
            "notification": {"every": _POLL},
            "alerts": [{"kind": "webhook", "url": self.hook.url}],
        }
        self.config.write_text(yaml.safe_dump(config, sort_keys=False))
        (folder / "pipeline.yaml").write_text(yaml.safe_dump(_PIPELINE, sort_keys=False))

    def start(self) -> None:
        """Start the run, or resume it."""
        self._offsets.append(len(self.said()))
        resume = ["--resume"] if self.sessions else []
        arguments = ("run", "pipeline.yaml", "config.yaml", "--run-dir", str(self.run_dir), *resume)
        self.supervisor = start(self.folder, "log", "supervisor", *arguments)
        self.sessions, self._stopping = self.sessions + 1, False

    def interrupt(self) -> None:
        """Ask the run to stop, as Ctrl+C does."""
        assert self.supervisor is not None
        self._stopping = True
        self.supervisor.send_signal(signal.SIGINT)

    def wait(self) -> int:
        """The exit code of a run that was asked to stop."""
        assert self.supervisor is not None
        return self.supervisor.wait(timeout=_END_S)

    def exit_code(self) -> int | None:
        """That of the run's process; None while it is alive."""
        assert self.supervisor is not None
        return self.supervisor.poll()

    @property
    def was_asked(self) -> bool:
        """Whether the session was asked to stop."""
        return self._stopping

    def last_words(self) -> str:
        """What the run said last."""
        return " / ".join(self.said().splitlines()[-3:])

    @property
    def follows(self) -> bool:
        """Whether the run is alive, was set up, and was not asked to stop."""
        return not self._stopping and self.exit_code() is None and "run directory: " in self.said()[self._offsets[-1] :]

    def models(self) -> int:
        """How many are committed."""
        return len(list(self.run_dir.glob("models/*/model.json")))

    def keyed(self) -> Counter[str]:
        """How many rows of each file have keys."""
        found: Counter[str] = Counter()
        for entry in read_manifest(self.manifest):
            found[Path(entry.file).name] += entry.rows
        return found

    def said(self) -> str:
        """All that was said so far, by all sessions."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def warnings(self, name: str) -> Counter[tuple[int, str]]:
        """How often each session has said what about a file."""
        text, found = self.said(), Counter[tuple[int, str]]()
        for number, begin in enumerate(self._offsets):
            stop = self._offsets[number + 1] if number + 1 < len(self._offsets) else None
            lines = [line.partition(" ")[2] for line in text[begin:stop].splitlines()]
            found.update((number, line) for line in lines if _warns(line) and self._is_of(line, name))
        return found

    def _is_of(self, line: str, name: str) -> bool:
        """Whether a file is the first that a line names: it may name another with which that one was compared."""
        place = f"{self.data}/" if str(self.data) in line else "dataset rows: "
        return line.partition(place)[2].startswith(name)

    def alerts(self, name: str) -> Counter[str]:
        """How often each sentence about a file was posted."""
        return Counter(one["sentence"] for one in list(self.hook.heard) if self._is_of(one["sentence"], name))

    def shown(self, name: str) -> tuple[bool, bool]:
        """Whether `runs` and `fleet` name a file now."""
        return _names(self._typed(runs), name), _names(self._typed(fleet), name)

    def end(self) -> None:
        """End everything that was started here."""
        if self.supervisor is not None:
            end([self.supervisor])
        self.hook.end()

    def _typed(self, command: Any) -> str:
        """What a command prints, or has just printed."""
        before_s, text = self._printed.get(command, (0.0, ""))
        if time.monotonic() - before_s < _LOOK_EVERY_S:
            return text
        said = io.StringIO()
        with redirect_stdout(said), suppress(NotReadyError):  # the run is just ending
            command.run(argparse.Namespace(config=self.config, json=False))
        self._printed[command] = time.monotonic(), said.getvalue()
        return said.getvalue()


def _warns(line: str) -> bool:
    """Whether a line of the log warns of a file; that files are not named in the order of their rows is meant here."""
    return line.startswith("! ") and "Files are read in the order of their names" not in line


def _names(text: str, name: str) -> bool:
    """Whether a file of the folder is named; a name may end another."""
    return f"/{name}" in text or f" {name}" in text

"""The three images: built from what the checkout holds, and looked into."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network

from engine import VERSION, Engine, require, say

USER = 10_001
_NAMES = ("supervisor", "train", "evaluate")
_MOST_OF_A_SUPERVISOR_MB = 400
_WHEELS_PORT = 47_815  # always the same, or each build would begin anew
_ASK_FOR_TORCH = "import importlib.util as util; print(util.find_spec('torch'))"


def build(engine: Engine) -> None:
    """Build them, and say what each takes."""
    base = {"BASE_IMAGE": os.environ["BASE_IMAGE"]} if "BASE_IMAGE" in os.environ else {}
    with _wheels(engine) as pip:
        options = [f"--build-arg={key}={value}" for key, value in (base | pip).items()]
        for name in _NAMES:
            began_s = time.monotonic()
            engine.compose("build", *options, name)
            say(f"modyn-{name}: {engine.megabytes(f'modyn-{name}'):.0f} MB, in {time.monotonic() - began_s:.0f} s")


def check(engine: Engine) -> None:
    """Nobody in them is root; the supervisor's is small, and has no PyTorch."""
    for name in _NAMES:
        user = engine.docker("run", "--rm", "--entrypoint", "id", f"modyn-{name}:{VERSION}", "-u").strip()
        require(user == str(USER), f"modyn-{name} runs as user {user}.")
    size = engine.megabytes("modyn-supervisor")
    require(size < _MOST_OF_A_SUPERVISOR_MB, f"modyn-supervisor takes {size:.0f} MB.")
    python = ("run", "--rm", "--entrypoint", "python3", f"modyn-supervisor:{VERSION}", "-c", _ASK_FOR_TORCH)
    require(engine.docker(*python).strip() == "None", "modyn-supervisor holds PyTorch.")
    say("none runs as root; the supervisor's is small, and holds no PyTorch")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *_: object) -> None:
        pass


@contextmanager
def _wheels(engine: Engine) -> Iterator[dict[str, str]]:
    """What pip is told inside a build; a folder of wheels is served to it meanwhile."""
    if "WHEELS" not in os.environ:
        yield {}
        return
    subnet = engine.docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}").strip()
    gateway = str(ip_network(subnet)[1])
    with ThreadingHTTPServer((gateway, _WHEELS_PORT), partial(_Quiet, directory=os.environ["WHEELS"])) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        links = f"http://{gateway}:{_WHEELS_PORT}/"
        yield {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": links, "PIP_TRUSTED_HOST": gateway, "PIP_EXTRA_INDEX_URL": ""}
        server.shutdown()

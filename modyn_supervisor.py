"""The command `modyn-supervisor` that pip installs. It begins outside our packages, whose names others have, too."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

_OURS = ("celeryconfig", "shared", "supervisor", "workers")
_PLACE = Path(__file__).resolve().parent
_NOT_READY = 3


def main() -> None:
    """Run the command line, unless Python finds another package under the name of one of ours."""
    for name in _OURS:
        found = _found(name)
        if found != _PLACE:
            sys.stderr.write(f"error: {_astray(name, found)}\n")
            sys.exit(_NOT_READY)

    from supervisor.__main__ import start  # noqa: PLC0415 - only now it is known to be ours

    start()


def _found(name: str) -> Path | None:
    """The folder in which Python finds a module or package, None if there is none."""
    spec = find_spec(name)
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ()) or [str(spec.origin)]
    return Path(places[0]).resolve().parent


def _astray(name: str, found: Path | None) -> str:
    where = f"found nowhere, though it belongs to {_PLACE}" if found is None else f"found in {found}, not in {_PLACE}"
    also = " supervisord's package has the same name." if name == "supervisor" else ""
    return (
        f"the package `{name}` of Modyn is {where}.{also} Install Modyn into a virtual environment of its own, "
        "and see what PYTHONPATH names."
    )

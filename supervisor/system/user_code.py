"""The user's own modules that a run's models are made of: which files these are, and what was in them."""

from __future__ import annotations

import hashlib
import importlib
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path

from shared.config.load import Configuration
from supervisor.system.worker_process import PROJECT


def user_code(configuration: Configuration) -> dict[str, str]:
    """File, named below the folder that it is imported from → SHA-256, of all modules that the files name.

    Nothing is imported. What pip has installed is left out, as it has a version; so is what is not on this machine.
    """
    system, model = configuration.system, configuration.pipeline.model
    named = [*system.trusted_modules, *([model.id.partition(":")[0]] if ":" in model.id else [])]
    found: dict[str, str] = {}
    importlib.invalidate_caches()
    for top in sorted({name.split(".")[0] for name in named}):
        for root, file in _files(top, [str(PROJECT), str(Path(system.path).parent), *sys.path]):
            with suppress(OSError):  # workers cannot import it either
                found[str(file.relative_to(root))] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def changes(before: Mapping[str, str] | None, now: Mapping[str, str]) -> str | None:
    """What is to be told of files that are not what they were; None if they are, or nobody knows what they were."""
    if before is None:
        return None
    named = sorted(file for file in before.keys() | now.keys() if before.get(file) != now.get(file))
    if not named:
        return None
    verb = "has" if len(named) == 1 else "have"
    return (
        f"{', '.join(named)} {verb} changed since the run was at work last: models are made with it from here on, and "
        "what was trained before may not fit. The pipeline is tried again. Workers that were started by hand keep what "
        "they have imported: start them anew."
    )


def _files(top: str, path: list[str]) -> Iterator[tuple[Path, Path]]:
    """The folder that a module is imported from, and each of its files."""
    spec = PathFinder.find_spec(top, path)
    if spec is None:
        return
    if spec.submodule_search_locations is None:
        places = [Path(spec.origin)] if spec.has_location and spec.origin else []
    else:
        places = [Path(place) for place in spec.submodule_search_locations]
    for place in places:
        if not any(place.is_relative_to(installed) for installed in _INSTALLED):
            for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
                yield place.parent, file


_INSTALLED = {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")}

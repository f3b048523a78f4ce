"""`python -m benchmarks.chaos --faults 200 --seed 0`: runs under faults until so many were injected, a line a run."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.chaos import held
from benchmarks.chaos.faults import FAULTS, Corruption, FullDisk
from benchmarks.chaos.kinds import KINDS
from benchmarks.chaos.scene import LEASE_S, Scene
from benchmarks.chaos.verdict import verdict
from shared.errors import NotReadyError

_ENDING = {"corrupt_model": Corruption, "full_disk": FullDisk}  # these end the run with exit 1, until they are mended


def main() -> None:
    """Run the harness; exit 1 if any run ended otherwise than the undisturbed one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=200, help="how many to inject in all")
    parser.add_argument("--seed", type=int, default=0, help="of the first run; the others count on")
    parser.add_argument("--per-run", type=int, default=6, help="faults in one run")
    parser.add_argument("--patience-s", type=float, default=300.0, help="a run that takes longer hangs")
    parser.add_argument("--kinds", nargs="*", default=[*FAULTS, *_ENDING], choices=[*FAULTS, *_ENDING])
    parser.add_argument("--scenes", nargs="*", default=[*KINDS], choices=[*KINDS], help="two seeds for each, in turn")
    parser.add_argument("--keep", action="store_true", help="keep the folders of runs that went wrong")
    options = parser.parse_args()
    sys.path.append(str(held.INSTALLED))  # the verdict reads what pipelines say
    with tempfile.TemporaryDirectory(prefix="modyn-chaos-") as folder:
        if not _may_mount(Path(folder)):
            options.kinds = [kind for kind in options.kinds if kind != "full_disk"]
            sys.stderr.write("full_disk is left out: this user may not mount a small file system\n")
        references: dict[str, tuple[Scene, float]] = {}  # made when the first run of that kind asks for it
        injected, bad, seed = 0, 0, options.seed
        while injected < options.faults:
            if (kind := _kind(seed, options.scenes)) not in references:
                references[kind] = _undisturbed(Path(folder) / f"undisturbed-{kind}", kind)
            reference, undisturbed_s = references[kind]
            result = one_run(Path(folder), reference.folder, seed, options)
            result["extra_s"] = round(result.pop("wall_s") - undisturbed_s, 1)
            print(json.dumps(result), flush=True)
            injected += sum(result["faults"].values())
            bad += not result["good"]
            seed += 1
    print(json.dumps({"faults": injected, "runs": seed - options.seed, "bad_runs": bad}))
    sys.exit(1 if bad else 0)


def _undisturbed(folder: Path, kind: str) -> tuple[Scene, float]:
    """A run that nothing happens to, and how long it took."""
    reference = Scene(folder, kind=kind)
    reference.set()
    started_s = time.monotonic()
    reference.start(resume=False)
    assert reference.supervisor is not None
    if reference.supervisor.wait() != 0:
        sys.exit(f"the undisturbed run failed:\n{(reference.folder / 'log').read_text()}")
    return reference, time.monotonic() - started_s


def _kind(seed: int, scenes: list[str]) -> str:
    """Of two seeds in a row that have the same kind of scene, one runs on a cluster."""
    return scenes[seed // 2 % len(scenes)]


def one_run(folder: Path, undisturbed: Path, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """One run under faults, from its seed alone."""
    random = Random(seed)
    kinds = [random.choice(options.kinds) for _ in range(options.per_run)]
    place = folder / f"run-{seed}"
    scene = Scene(place, cluster=bool(seed % 2), kind=_kind(seed, options.scenes))
    moments = sorted(random.randrange(3, KINDS[scene.kind].lines) for _ in kinds)
    with _disk(scene.disk):
        scene.set()
        started_s = time.monotonic()
        director = Director(scene, random, list(zip(moments, kinds, strict=True)))
        try:
            code = director.play(options.patience_s)
        finally:
            scene.end()
        wall_s = time.monotonic() - started_s
        told = verdict(place, undisturbed) if code == 0 else {"status": f"exit {code}"}
        told["overwritten_models"] = director.overwritten
        told["copies_let_in"] = scene.copies_let_in
        if "Traceback" in (place / "log").read_text():
            told["traceback"] = True
        counts = (
            "lost_triggers",
            "duplicate_commits",
            "overwritten_models",
            "bodies_effective_twice",
            "copies_let_in",
        )
        good = told == {"status": "finished", **dict.fromkeys(counts, 0), "differing_files": []}
        if not good:
            told["said"] = (place / "log").read_text().splitlines()[-3:]
        if not good and options.keep:
            shutil.copytree(
                place, f"/tmp/modyn-chaos-kept-{seed}", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock")
            )
    faults = {
        "seed": seed,
        "scene": scene.kind,
        "cluster": scene.cluster,
        "faults": dict(director.injected),
        "resumes": director.resumes,
    }
    return {**faults, **told, "good": good, "wall_s": wall_s}


class Director:
    """Plays a run: injects each fault when the journal is so long, and resumes the run when one ended it."""

    def __init__(self, scene: Scene, random: Random, script: list[tuple[int, str]]) -> None:
        self._scene = scene
        self._random = random
        self._script = script
        self._ending: Corruption | FullDisk | None = None
        self._models: dict[str, int] = {}  # committed weights, and the file that each was first
        self.overwritten = 0
        self.injected: Counter[str] = Counter()
        self.resumes = 0

    def play(self, patience_s: float) -> int:
        """The exit code of the last session; 0 when the run finished, −1 if it did not end."""
        self._scene.start(resume=False)
        deadline_s = time.monotonic() + patience_s
        while time.monotonic() < deadline_s:
            assert self._scene.supervisor is not None
            code = self._scene.supervisor.poll()
            if code == 0:
                self._mend()
                return 0
            if code is not None and not self._resume(code):
                return code
            self._inject()
            self._look_at_models()
            self._scene.keep_cluster()
            time.sleep(0.02)
        return -1

    def _look_at_models(self) -> None:
        """A model that is committed stays the file it is: a second one in its place would be an overwritten model."""
        for model in self._scene.run_dir.glob("models/*/model.safetensors"):
            with suppress(FileNotFoundError):
                file = model.stat().st_ino
                if self._models.setdefault(str(model), file) != file:
                    self._models[str(model)] = file
                    self.overwritten += 1

    def _resume(self, code: int) -> bool:
        """Take the run up again after a fault that ended it; an ending without one is a failure.

        A supervisor that is started while Redis is away says that the system is not ready.
        """
        not_ready = code == NotReadyError.exit_code and time.monotonic() < self._scene.broker_from_s + LEASE_S
        if code > 0 and self._ending is None and not not_ready:
            return False
        self._mend()
        self.resumes += 1
        self._scene.start(resume=self._scene.journal.exists() and self._scene.journal.stat().st_size > 0)
        return True

    def _mend(self) -> None:
        if self._ending is not None:
            self._ending.mend()
            self._ending = None

    def _inject(self) -> None:
        if not self._script or self._ending is not None or _lines(self._scene.journal) < self._script[0][0]:
            return
        _, kind = self._script.pop(0)
        if kind in _ENDING:
            ending = _ENDING[kind](self._scene)
            if ending.inject():
                self._ending = ending
                self.injected[kind] += 1
        elif FAULTS[kind](self._scene, self._random):
            self.injected[kind] += 1


def _lines(journal: Path) -> int:
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def _may_mount(folder: Path) -> bool:
    """Whether this user may mount a small file system; else filling the disk would fill everybody's."""
    with _disk(folder / "try" / "disk"):
        return os.path.ismount(folder / "try" / "disk")


@contextmanager
def _disk(place: Path) -> Iterator[None]:
    """Make the folder a small file system of its own, where this user may mount one."""
    place.mkdir(parents=True)
    mounted = os.geteuid() == 0 and not subprocess.call(
        ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(place)], stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        if mounted:
            subprocess.call(["umount", "-l", str(place)])
        shutil.rmtree(place.parent, ignore_errors=True)


if __name__ == "__main__":
    main()

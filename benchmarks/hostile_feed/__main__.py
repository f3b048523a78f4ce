"""`python -m benchmarks.hostile_feed --seed 0`: feed a run with good, unfinished and bad files, and judge what it did.

A production run follows a folder. In an order that the seed gives, files come that are good, half-written, cut, empty,
bad or growing; bad ones are mended or taken away once the log, an alert, `runs` and `fleet` have told them. Meanwhile
the run is stopped and resumed. Each row is unlike all others, so that what was trained on can be compared, row by
row, with what was written whole. Exit 1 if a promise was not kept.
"""

from __future__ import annotations

import argparse
import heapq
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from benchmarks.hostile_feed.feeder import Feeder, Wait
from benchmarks.hostile_feed.scene import EVERY, Scene
from benchmarks.hostile_feed.stories import STORIES, Story, good
from benchmarks.hostile_feed.verdict import Finding, all_read, verdict
from benchmarks.processes import end_in_order_when_asked

_STEP_S = 0.02
_GOOD_EVERY_S = 0.6  # files that only bring the run to its triggers
_EARLY = 5  # of so many stories one begins before the run does
_MOST_NAMED = 12


def main() -> None:
    """Feed runs, one for each seed; exit 1 if one of them kept a promise not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile_feed", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the first run; the others count on")
    parser.add_argument("--runs", type=int, default=1, help="how many")
    parser.add_argument("--triggers", type=int, default=30, help="that each run reaches at least")
    parser.add_argument("--only", nargs="*", default=list(STORIES), choices=list(STORIES), help="these files alone")
    parser.add_argument("--over-s", type=float, default=20.0, help="the time in which all files begin to come")
    parser.add_argument("--patience-s", type=float, default=300.0, help="a run that takes longer hangs")
    parser.add_argument("--keep", action="store_true", help="keep the folders of runs that went wrong")
    options = parser.parse_args()
    end_in_order_when_asked()
    bad = sum(not _good(seed, options) for seed in range(options.seed, options.seed + options.runs))
    sys.exit(1 if bad else 0)


def _good(seed: int, options: argparse.Namespace) -> bool:
    """Feed one run and print what became of each promise."""
    with tempfile.TemporaryDirectory(prefix="modyn-feed-") as folder:
        scene = Scene(Path(folder))
        try:
            feeding = Feeding(scene, seed, options)
            ended = feeding.play()
            findings = verdict(feeding.feed, ended, options.triggers)
        finally:
            scene.end()
        kept = not any(one.wrong for one in findings)
        if not kept and options.keep:
            shutil.copytree(folder, f"/tmp/modyn-feed-kept-{seed}", dirs_exist_ok=True, symlinks=True)
    files, rows = len(feeding.feed.whole), sum(map(len, feeding.feed.whole.values()))
    print(f"seed {seed}: {files} files with {rows} rows, {len(feeding.feed.bad)} odd things, {scene.sessions} sessions")
    for one in findings:
        _print(one)
    return kept


def _print(finding: Finding) -> None:
    print(f"  {'wrong' if finding.wrong else 'kept '}  {finding.promise}")
    for sentence in finding.wrong[:_MOST_NAMED]:
        print(f"           {sentence}")
    if len(finding.wrong) > _MOST_NAMED:
        print(f"           … and {len(finding.wrong) - _MOST_NAMED} more")


class Feeding:
    """Steps all stories on, each when its time has come, and stops and resumes the run in their midst."""

    def __init__(self, scene: Scene, seed: int, options: argparse.Namespace) -> None:
        self._random, self._scene, self._options = Random(seed), scene, options
        self.feed = Feeder(scene, self._random)
        self._due: list[tuple[float, int, Wait]] = []
        self._later: list[Story] = []  # that begin when the run does
        self._stories = 0
        self._good_s, self._midst_s = 0.0, 0.0
        self._ended: list[str] = []

    def play(self) -> list[str]:
        """Until all is written and read and enough triggers have models; what was wrong with the sessions."""
        for _ in good(self.feed):
            pass  # one file is there already
        begun_s = time.monotonic()
        stories = [STORIES[name] for name in self._random.sample(self._options.only, len(self._options.only))]
        self._later = stories[len(stories) // _EARLY :]
        self._begin_all(stories[: len(stories) // _EARLY], 0.0)
        self._scene.start()
        while not self._ended and not self._is_done():
            if time.monotonic() > begun_s + self._options.patience_s:
                self._ended.append(f"not done after {self._options.patience_s:.0f} s")
            if self._later and self._scene.follows:
                self._begin_all(self._later, self._options.over_s)
                self._midst_s = time.monotonic() + self._options.over_s / 2
                self._later = []
            self._step()
            self._keep_session()
            time.sleep(_STEP_S)
        self._stop()
        return self._ended

    def _begin_all(self, stories: Sequence[Story], over_s: float) -> None:
        now_s = time.monotonic()
        for story in stories:
            self._begin(story(self.feed), now_s + self._random.uniform(0, over_s))

    def _begin(self, story: Wait, due_s: float) -> None:
        self._stories += 1
        heapq.heappush(self._due, (due_s, self._stories, story))

    def _step(self) -> None:
        now_s = time.monotonic()
        if now_s > self._good_s and self._is_short_of_rows():
            self._good_s = now_s + _GOOD_EVERY_S
            self._begin(good(self.feed), now_s)
        while self._due and self._due[0][0] <= now_s:
            _, _, story = heapq.heappop(self._due)
            wait_s = next(story, None)
            if wait_s is not None:
                self._begin(story, now_s + wait_s)

    def _is_short_of_rows(self) -> bool:
        """Whether more good files are needed for the triggers, beside those of the stories."""
        return self._rows_written() < (int(self._options.triggers) + 1) * EVERY

    def _rows_written(self) -> int:
        return sum(map(len, self.feed.whole.values()))

    def _is_done(self) -> bool:
        if self._later or self._due or not self._scene.follows or not all_read(self.feed):
            return False
        return self._scene.models() >= self._rows_written() // EVERY

    def _keep_session(self) -> None:
        """Stop the run once in the midst, resume it when it has ended; another end is none that it may come to."""
        code = self._scene.exit_code()
        if self._scene.sessions == 1 and self._is_midst():
            self._scene.interrupt()
        elif code is not None and self._scene.was_asked and code == 0:
            self._scene.start()
        elif code is not None:
            self._ended.append(f"session {self._scene.sessions} ended with exit {code}: {self._scene.last_words()}")

    def _is_midst(self) -> bool:
        """Half of the triggers have models, and half of the time has passed in which files begin to come."""
        is_late = not self._later and time.monotonic() > self._midst_s
        return is_late and self._scene.follows and self._scene.models() >= self._options.triggers // 2

    def _stop(self) -> None:
        if self._scene.exit_code() is None:
            self._scene.interrupt()
            code = self._scene.wait()
            if code != 0:
                self._ended.append(f"the last session was stopped with exit {code}: {self._scene.last_words()}")


if __name__ == "__main__":
    main()

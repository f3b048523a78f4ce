"""The losses of all models of a grid on all rows behind their own: measured once, then any stretch is two look-ups."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from shared.config.pipeline import Metric, Pipeline
from shared.errors import NotReadyError
from shared.messages.rescore import Mask
from shared.messages.row_losses import LossesMeasured, LossFile, MeasureLosses
from shared.messages.setup_record import SetupRecord
from shared.plugins import METRICS
from shared.temporary import scratch_folder
from shared.words import counted
from supervisor.backtest.grid.grid import Grid, GridModel
from supervisor.backtest.matrix.runs_to_score import runs_to_score
from supervisor.compare.asking_models import by_code, require_torch, with_labels
from supervisor.compare.run_to_score import RunToScore
from supervisor.system.asked_pool import AskedPool, Wanted

_MODULE, _DOES = "workers.row_losses", "measures losses"
_AT_ONCE = 8  # models of a request: they share what is read and encoded, and meet rows before their own in vain

Progress = Callable[[int, int], None]  # so many models are measured, of so many
Sums = npt.NDArray[np.float64]


class Losses:
    """Sums over rows that count: of the split that is evaluated, with a label. Keys lie behind the model's own row."""

    def __init__(
        self, grid: Grid, metric: Metric, sums: Sequence[Sums], counts: Sums, close: Sequence[Sums] | None = None
    ) -> None:
        """`sums`: of each model, item i that of the first i rows behind its own; `counts`: so of the earliest model.

        `close`: as `sums`, how many of these losses rounding decides; None where the metric is no share.
        """
        self.metric = metric
        self._first_keys = [one.key + 1 for one in grid.models]
        self._sums, self._counts, self._close = sums, counts, close
        self._first_counted = min(self._first_keys)

    def between(self, model: int, first_key: int, stop_key: int) -> float:
        """The sum of losses of the rows first_key ≤ key < stop_key."""
        start = first_key - self._first_keys[model]
        assert 0 <= start <= stop_key - self._first_keys[model], "a model is judged on rows behind its own"
        sums = self._sums[model]
        return float(sums[stop_key - self._first_keys[model]] - sums[start])

    def sums(self, model: int, cuts: npt.NDArray[np.int64]) -> Sums:
        """The same of the rows cuts[i] ≤ key < cuts[i + 1], shape (cuts − 1,); cuts ascend."""
        assert len(cuts) == 0 or cuts[0] >= self._first_keys[model], "a model is judged on rows behind its own"
        return np.diff(self._sums[model][cuts - self._first_keys[model]])

    def are_certain(self, model: int, first_key: int, stop_key: int) -> bool:
        """Whether the losses of these rows are 0 or 1 however many rows are predicted at once."""
        if self._close is None:
            return False
        close, before = self._close[model], self._first_keys[model]
        return bool(close[first_key - before] == close[stop_key - before])

    def rows(self, first_key: int, stop_key: int) -> int:
        """How many rows with first_key ≤ key < stop_key count; behind the earliest model's own row."""
        return int(self._counts[stop_key - self._first_counted] - self._counts[first_key - self._first_counted])


def measure_losses(
    grid: Grid, pipeline: Pipeline, metric: Metric, last_key: int, folder: Path, progress: Progress
) -> Losses:
    """Measure each model up to `last_key`, in as many processes as this machine has processors.

    `pipeline`: that of the policies that are tested; `folder`: where files of sums lie, 8 bytes a model and row (16
    of a metric that is a share), which are not measured again. Raises NotReadyError with what cannot be measured,
    OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    runs = runs_to_score(grid, pipeline)
    files = _Files(grid, runs, metric, last_key, folder)
    if files.missing:
        require_torch("the models of the grid cannot be asked")
        with (
            scratch_folder("losses", folder) as unfinished,
            with_labels(runs, dict.fromkeys(range(len(runs)), last_key)) as records,
        ):
            wanted = list(files.wanted(unfinished))
            _measure(runs, records, wanted, folder, len(grid.models) - len(files.missing), progress)
    numbers = range(len(grid.models))
    sums, close = [_mapped(files.of(number)) for number in numbers], None
    if files.are_shares:
        close = [_mapped(files.close(number)) for number in numbers]
    return Losses(grid, metric, sums, _mapped(files.counts), close)


def _mapped(file: Path) -> Sums:
    return np.asarray(np.load(file, mmap_mode="r"))


class _Files:
    """Which there are to be, by what is in them."""

    def __init__(self, grid: Grid, runs: Sequence[RunToScore], metric: Metric, last_key: int, folder: Path) -> None:
        self._grid, self._metric, self._last_key, self._folder = grid, metric, last_key, folder
        self._device = [run.state.started.evaluation_device for run in runs]
        pipeline = runs[0].record.pipeline
        self._mask = Mask(name=pipeline.evaluation.prequential.split, split=pipeline.data.split)
        forgives = pipeline.training.on_failure == "continue"
        what = [metric, last_key, self._mask, forgives, self._device, *(run.record.dataset for run in runs)]
        self._of_all = hashlib.sha256(msgspec.json.encode(what)).hexdigest()[:12]
        self._earliest = min(range(len(grid.models)), key=lambda number: grid.models[number].key)
        self.counts = self._named("rows", grid.models[self._earliest])
        self.are_shares: bool = METRICS[metric.name].is_share
        absent = [number for number in range(len(grid.models)) if not self._are_there(number)]
        self.missing = sorted({self.of(number): number for number in reversed(absent)}.values())  # models may be equal
        if not self._is_whole(self.counts, grid.models[self._earliest]) and self._earliest not in self.missing:
            self.missing.append(self._earliest)

    def of(self, number: int) -> Path:
        """That of a model."""
        return self._named(self._grid.models[number].ref.object.sha256[:20], self._grid.models[number])

    def close(self, number: int) -> Path:
        """How many of its losses rounding decides."""
        file = self.of(number)
        return file.with_name(f"close-{file.name}")

    def _are_there(self, number: int) -> bool:
        files = [self.of(number), *([self.close(number)] if self.are_shares else [])]
        return all(self._is_whole(file, self._grid.models[number]) for file in files)

    def _is_whole(self, file: Path, model: GridModel) -> bool:
        """Whether it is there; one that a full disk or a crash of the machine has cut short is not."""
        try:
            return _mapped(file).shape == (max(self._last_key - model.key, 0) + 1,)
        except (OSError, ValueError, EOFError):
            return False

    def _named(self, what: str, model: GridModel) -> Path:
        return self._folder / f"{model.key}-{what}-{self._of_all}.npy"

    def wanted(self, unfinished: Path) -> Iterator[MeasureLosses]:
        """Requests for those that are missing: models of a run that begin near each other together.

        `unfinished`: the folder in which files are written, by the names that they are to have.
        """
        models = self._grid.models
        left = sorted(self.missing, key=lambda number: (models[number].run, models[number].key))
        while left:
            run = models[left[0]].run
            some = [number for number in left[:_AT_ONCE] if models[number].run == run]
            left = left[len(some) :]
            if self._earliest in some:  # its rows are those that are counted
                some.remove(self._earliest)
                some.insert(0, self._earliest)
            yield MeasureLosses(
                run=run,
                models=tuple(self._file(one, unfinished) for one in some),
                last_key=self._last_key,
                metric=self._metric,
                mask=self._mask,
                device=self._device[run],
                counts=str(unfinished / self.counts.name) if self._earliest in some else None,
            )

    def _file(self, number: int, unfinished: Path) -> LossFile:
        model = self._grid.models[number]
        close = str(unfinished / self.close(number).name) if self.are_shares else None
        path = str(unfinished / self.of(number).name)
        return LossFile(model=model.ref, first_key=model.key + 1, path=path, close=close)


def _measure(
    runs: Sequence[RunToScore],
    records: Sequence[SetupRecord],
    wanted: Sequence[MeasureLosses],
    folder: Path,
    done: int,
    progress: Progress,
) -> None:
    """Have processes write the files, and move those that are whole to `folder`. `done`: so many models are there."""
    of = done + sum(len(one.models) for one in wanted)
    for folders, numbers in by_code(runs, [one.run for one in wanted]):
        asked = [
            Wanted(number, msgspec.json.encode(wanted[number]), _about(wanted[number], records)) for number in numbers
        ]
        count = min(os.cpu_count() or 1, len(asked))
        with AskedPool(count, _MODULE, folders, msgspec.json.encode(list(records)), _DOES) as pool:
            for number, line in pool.answers(asked):
                answer = msgspec.json.decode(line, type=LossesMeasured)
                if answer.error is not None:
                    raise NotReadyError(answer.error)
                _keep(wanted[number], folder)
                progress(done := done + len(wanted[number].models), of)


def _keep(measured: MeasureLosses, folder: Path) -> None:
    """Its files are whole."""
    of_models = [file for one in measured.models for file in (one.path, one.close)]
    for file in filter(None, [*of_models, measured.counts]):
        os.replace(file, folder / Path(file).name)


def _about(wanted: MeasureLosses, records: Sequence[SetupRecord]) -> str:
    """What sentences call a request."""
    return f"{records[wanted.run].artifacts_uri}, {counted(len(wanted.models), 'model')}"

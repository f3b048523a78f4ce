"""How good the current model is on what arrived, and on what was held out of its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shared.config.pipeline import Metric
from shared.dataset.table import TableDataset
from shared.errors import RowError
from shared.messages.reports import MetricScore
from shared.messages.rescore import Mask
from shared.plugins import METRICS
from workers.detection.detector import Detector, Sight
from workers.detection.known_rows import KnownRows
from workers.evaluation.later_classes import knowing
from workers.evaluation.windows import Entrant, Rows, evaluate
from workers.features.class_names import LaterClasses

NO_ROWS = MetricScore(metric="", value=None, n=0, error="no label is known")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at a look."""

    metric: Metric
    scored: MetricScore
    expected: MetricScore
    of: int  # rows of the window up to the look
    known: int  # rows since the trigger with a known label

    def told(self, sight: Sight) -> dict[str, Any]:
        """As the policy reads it."""
        return {
            "metric": self.metric.label,
            "greater_is_better": METRICS[self.metric.name].greater_is_better,
            "model": sight.model_trigger,
            "score": self.scored.value,
            "n": self.scored.n,
            "unlabelled": self.of - self.scored.n,
            "known": self.known,
            "error": self.scored.error,
            "expected": self.expected.value,
            "expected_n": self.expected.n,
        }


class Performance(Detector):
    """Scores the current model on rows that it was not trained on, of which only those with a known label count.

    Options: `metric` (None: the pipeline's first), `current` ([first, last] key: rows since the newest trigger, of all
    splits), `since_us` (event time before them), `window` (which of them, as of `KnownRows.window`), `trainings`
    ([[trigger, first key, last key], …]: the training stretches of models that may be the current one) and
    `expected_of` (the model whose expected score is known). The expected score is that on the rows of its training
    stretch that are in split validation, or test where there is none.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    def answer(self, sight: Sight) -> dict[str, Any]:
        """`score` on `n` rows, or `error`; `unlabelled`: rows of the window up to the look without a known label.

        `known`: rows since the trigger with one; `model`: the trigger of the current model; `expected` on `expected_n`
        rows, if that was not known. A bad row is an error, or, in a run that goes on after failures, the score's.
        """
        metric, expected = metric_of(self._options, sight), NO_ROWS
        first_key, last_key = self._options["current"]
        rows = KnownRows(sight, first_key, last_key)
        window, scored = rows.window(self._options["window"], self._options["since_us"]), NO_ROWS
        if sight.model is not None:
            scored = score_of(sight, metric, window.dataset, (window.first_key, window.stop_key), [])
            expected = self.expected(sight, metric)
        found = Found(metric=metric, scored=scored, expected=expected, of=window.rows, known=len(rows))
        return found.told(sight)

    def expected(self, sight: Sight, metric: Metric) -> MetricScore:
        """What the current model scores on its held-out rows; without a value if that is known, or not asked for."""
        stretch = next((one for one in self._options["trainings"] if one[0] == sight.model_trigger), None)
        split = sight.pipeline.data.split
        if stretch is None or self._options["expected_of"] == sight.model_trigger or not split.test + split.validation:
            return NO_ROWS
        _, first_key, last_key = stretch
        stop_key = KnownRows(sight, first_key, last_key).stop_key
        held_out = Mask(name="validation" if split.validation else "test", split=split)
        return score_of(sight, metric, sight.dataset, (first_key, stop_key), [held_out])


def metric_of(options: Mapping[str, Any], sight: Sight) -> Metric:
    """The one that is asked for, or the pipeline's first."""
    given = options["metric"]
    return sight.pipeline.evaluation.metrics[0] if given is None else msgspec.convert(given, Metric)


def score_of(
    sight: Sight, metric: Metric, dataset: TableDataset, keys: tuple[int, int], masks: Sequence[Mask]
) -> MetricScore:
    """The model's score on those rows of the dataset that are in all masks; `keys`: first key and stop key."""
    first_key, stop_key = keys
    if first_key >= stop_key:
        return NO_ROWS
    assert sight.model is not None
    config, forgiven = sight.dataset.config, sight.pipeline.training.on_failure == "continue"
    entrant = Entrant(
        sight.model,
        [metric],
        config.label,
        forgiven=(RowError,) if forgiven else (),
        drops=config.nulls.labels == "drop",
    )
    try:
        entrant.model = knowing(sight.model, lambda: sight.dataset, first_key, stop_key - 1, LaterClasses())
    except RowError as error:
        entrant.fail(error)
    rows = Rows(first_key=first_key, stop_key=stop_key, first_timestamp_us=None, last_timestamp_us=None)
    evaluate([entrant], rows, dataset, masks)
    (found,) = entrant.scores()
    return found

"""Windows that are scored anew on a part of their rows: what `python -m workers.rescore` is asked, and its answers."""

from __future__ import annotations

from typing import Any

from shared.class_names import ClassNames
from shared.config.pipeline import Split
from shared.ids import TriggerId
from shared.messages.message import Body
from shared.messages.reports import MetricValue
from shared.messages.tasks import Device, ModelRef
from shared.split import SplitName


class KeyRange(Body, frozen=True, kw_only=True):
    """The keys first..last, both included."""

    first_key: int
    last_key: int


class Mask(Body, frozen=True, kw_only=True):
    """The rows of one split; all rows where it has no name."""

    name: SplitName | None
    split: Split


class Rescore(Body, frozen=True, kw_only=True):
    """Score one window of a run on some of its rows: its models, and what needs none."""

    run: int  # which of the setup records that came first
    trigger_id: TriggerId  # whose window it is
    trigger_key: int  # the row before the window
    trigger_timestamp_us: int  # event time there
    models: tuple[ModelRef, ...]
    ranges: tuple[KeyRange, ...]  # ascending and apart, within the window; at least one
    masks: tuple[Mask, ...]  # a row of these counts if it is in all of them
    device: Device = "cpu"  # that the run's scores are of; where there is none of its kind here, the CPU does
    history: dict[str, Any] | None  # what the baselines of the window before handed on
    first_labelled_key: int | None  # this and `classes` as in a BaselineTask
    classes: ClassNames | None = None
    baselines: bool = True  # whether what needs no model is scored, too


class Rescored(Body, frozen=True, kw_only=True):
    """The scores of one such window, or why there are none."""

    run: int
    trigger_id: TriggerId
    scores: dict[str, tuple[MetricValue, ...]] = {}  # `model 3` …, `majority`, `no_change`
    error: str | None = None  # a sentence that names run and trigger

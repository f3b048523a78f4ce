"""What one value means for another, across both files; parts that are wrong by themselves are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.config.fields import nearest
from shared.config.schema.model import BUILT_IN_MODELS
from shared.config.schema.trigger import objections_of
from shared.config.within import strategies_within
from shared.plugins import METRICS, STRATEGIES

Values = Mapping[str, Any]
Problem = tuple[str, str]  # key path in pipeline.yaml, sentence


def problems(pipeline: Values, system: Values, written: Values, *, experiment_mode: bool) -> Iterator[Problem]:
    """All of them. Both files as their schemas loaded them, without the values that have mistakes of their own.

    `written`: what pipeline.yaml itself says.
    """
    yield from _dataset(pipeline, system)
    yield from _mode(pipeline, experiment_mode, is_written="initial_mode" in written)
    if experiment_mode:
        yield from _forecasts(_at(pipeline, "trigger"), "trigger")
    yield from _trust(pipeline, system)
    yield from _retention(pipeline, system)
    yield from _classes(pipeline, system)
    yield from _labels(pipeline, system)
    yield from _gate(pipeline)
    yield from _trigger(pipeline)
    yield from _strategy(pipeline)
    yield from _estimate(pipeline)


def _at(values: Values, path: str) -> Any:
    """The value at a dotted path, None where it or what it stands in is missing."""
    found: Any = values
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _dataset(pipeline: Values, system: Values) -> Iterator[Problem]:
    name, datasets = _at(pipeline, "data.dataset"), _at(system, "storage.datasets")
    if name is not None and datasets is not None and name not in datasets:
        yield "data.dataset", f"{name} is not in storage.datasets; {nearest(name, datasets)}"


def _mode(pipeline: Values, experiment_mode: bool, *, is_written: bool) -> Iterator[Problem]:
    mode = _at(pipeline, "initial_mode")
    if experiment_mode and not is_written:
        sentence = f"is not written, and then is {mode}, which cannot be used with --experiment-mode;"
        yield "initial_mode", f"{sentence} write `initial_mode: replay`."
    elif experiment_mode and mode not in (None, "replay"):
        yield "initial_mode", f"{mode} cannot be used with --experiment-mode; write `initial_mode: replay`."
    if not experiment_mode and mode == "replay" and _at(pipeline, "strategy.name") == "all_data":
        sentence = (
            "replay with strategy all_data needs --experiment-mode; to follow a dataset, write train_on_everything,"
        )
        yield "initial_mode", f"{sentence} which gives the same model at once."


def _forecasts(values: Any, path: str) -> Iterator[Problem]:
    """Whatever forecasts trainings within `trigger:` must be repeatable, unless it says that it need not be."""
    if isinstance(values, list):
        for number, one in enumerate(values):
            yield from _forecasts(one, f"{path}.{number}")
    elif isinstance(values, Mapping):
        if values.get("measured") is False and values.get("seconds_per_sample", 0) is None:
            sentence = "is missing, and what is measured differs from run to run with --experiment-mode; write it, or"
            yield f"{path}.seconds_per_sample", f"{sentence} `measured: true` if that is meant."
        for key, one in values.items():
            yield from _forecasts(one, path if key in ("options", "guards") else f"{path}.{key}")


def _trust(pipeline: Values, system: Values) -> Iterator[Problem]:
    model, trusted = _at(pipeline, "model.id"), _at(system, "trusted_modules")
    if model is None or trusted is None or ":" not in model:
        return
    module = model.split(":")[0]
    if not any(module == one or module.startswith(f"{one}.") for one in trusted):
        sentence = f"{module} is not in config.yaml's trusted_modules; add it there if you trust its code,"
        yield "model.id", f"{sentence} or use one of {', '.join(BUILT_IN_MODELS)}."


def _retention(pipeline: Values, system: Values) -> Iterator[Problem]:
    kept, evaluation = _at(system, "retention.models"), _at(pipeline, "evaluation") or {}
    if "newest" not in evaluation:
        return
    scored, windows = evaluation["newest"], evaluation.get("on", ())
    recurring = any(window["extent"]["kind"] == "every" for window in windows)
    if kept is not None and recurring and (scored is None or scored > kept):
        which = "all models" if scored is None else f"the newest {scored}"
        sentence = f"scores {which} on `every` windows, but config.yaml's retention keeps the newest {kept};"
        yield "evaluation.models", f"{sentence} write `models: {{newest: {kept}}}`."


def _classes(pipeline: Values, system: Values) -> Iterator[Problem]:
    name, datasets = _at(pipeline, "data.dataset"), _at(system, "storage.datasets")
    dataset = datasets.get(name) if isinstance(datasets, Mapping) else None
    known, named = _at(pipeline, "model.config.num_classes"), _at(dataset, "classes") if dataset else None
    # One output tells two classes apart; whether the loss takes it so, the check finds.
    if type(known) is int and isinstance(named, list) and len(named) > max(known, 2):
        sentence = f"is {known}, but `classes` of dataset {name} in config.yaml names {len(named)};"
        yield "model.config.num_classes", f"{sentence} write {len(named)}, or name fewer there."


def _labels(pipeline: Values, system: Values) -> Iterator[Problem]:
    name, datasets = _at(pipeline, "data.dataset"), _at(system, "storage.datasets")
    dataset = datasets.get(name) if isinstance(datasets, Mapping) else None
    labels = _at(dataset, "labels") if isinstance(dataset, Mapping) else None
    if not isinstance(labels, Mapping):
        return
    if _at(pipeline, "data.label_delay_s"):
        sentence = f"can only be 0s, as dataset {name} in config.yaml has `labels`, whose known_at says when each is"
        yield "data.label_delay", f"{sentence} known; remove one of them."
    by = _at(pipeline, "data.split.by")
    if by is not None and by == labels.get("label", "label"):
        sentence = f"{by} is the label of dataset {name}, which is known later than its row;"
        yield "data.split.by", f"{sentence} name a column of the rows."


def _gate(pipeline: Values) -> Iterator[Problem]:
    measured, windows = _at(pipeline, "evaluation.metrics"), _at(pipeline, "evaluation.on")
    metric, name = _at(pipeline, "deployment.gate.metric"), _at(pipeline, "deployment.gate.on")
    if metric is not None and measured is not None and metric not in (labels := [one["label"] for one in measured]):
        sentence = f"{metric} is not in evaluation.metrics, which has {', '.join(labels)};"
        yield "deployment.gate.metric", f"{sentence} add it there, or name one of those."
    elif metric is not None and measured is not None:
        (name_of_kind,) = (one["name"] for one in measured if one["label"] == metric)
        yield from _gate_bound(name_of_kind, metric, _at(pipeline, "deployment.gate.at_least"))
    if name is not None and windows is not None:
        yield from _gate_window(pipeline, name, {window["name"]: window for window in windows})


def _gate_bound(name: str, metric: str, bound: float | None) -> Iterator[Problem]:
    """Percents, or the sign turned round as less is better, would let no model pass."""
    kind = METRICS[name]
    if bound is None or kind.best is None or (bound <= kind.best if kind.greater_is_better else bound >= kind.best):
        return
    most = "most" if kind.greater_is_better else "least"
    sentence = f"{bound:g} is reached by no model, as {metric} is at {most} {kind.best:g};"
    remedy = "write a share, such as 0.7." if kind.greater_is_better else f"write the largest {metric} that may pass."
    yield "deployment.gate.at_least", f"{sentence} {remedy}"


def _gate_window(pipeline: Values, name: str, windows: Mapping[str, Values]) -> Iterator[Problem]:
    window = windows.get(name)
    if window is None:
        yield "deployment.gate.on", f"{name} is no window of evaluation.on; {nearest(name, windows)}"
    elif window["extent"]["kind"] != "last":
        sentence = f"{name} does not end at the watermark;"
        yield "deployment.gate.on", f"{sentence} a gate needs a window such as {{last: 7d}}."
    elif window["split"] in ("test", "validation") and _at(pipeline, f"data.split.{window['split']}") == 0:
        sentence = f"{name} looks at {window['split']} rows, and there are none: data.split.{window['split']} is 0;"
        yield "deployment.gate.on", f"{sentence} give it a share, such as 0.1."


def _trigger(pipeline: Values) -> Iterator[Problem]:
    block = _at(pipeline, "trigger")
    if block is not None:
        for key, sentence in objections_of(block, pipeline):
            yield f"trigger.{key}", sentence


def _strategy(pipeline: Values) -> Iterator[Problem]:
    block = _at(pipeline, "strategy")
    if block is not None:
        for path, name, options in strategies_within(block["name"], block["options"]):
            for key, sentence in STRATEGIES[name].objections(options, pipeline):
                yield f"{path}.{key}", sentence


def _estimate(pipeline: Values) -> Iterator[Problem]:
    given, split = _at(pipeline, "evaluation.estimate"), _at(pipeline, "data.split")
    if not isinstance(given, Mapping) or not isinstance(split, Mapping):
        return
    asked = given.get("calibrate_on")
    if asked is None and not split.get("validation") and not split.get("test"):
        sentence = "calibrates on rows that no model was trained on, and there are none;"
        yield "evaluation.estimate", f"{sentence} give data.split.test a share, such as 0.1."
    elif asked is not None and not split.get(asked):
        sentence = f"is {asked}, and there are no such rows: data.split.{asked} is 0;"
        yield "evaluation.estimate.calibrate_on", f"{sentence} give it a share, such as 0.1."

"""Checked values of the two files as typed ones: paths absolute, and what is left out but meant filled in."""

from __future__ import annotations

from collections.abc import Container
from itertools import chain, count
from pathlib import Path
from typing import Any

import msgspec

from shared.config.paths import absolute
from shared.config.pipeline import Pipeline
from shared.config.schema.deployment import name_of_target
from shared.config.schema.evaluation import estimable
from shared.config.schema.holdout import ON_VALIDATION
from shared.config.schema.labels import with_labels
from shared.config.secrets import hide_password
from shared.config.system import System
from shared.config.within import strategies_within
from shared.config.yaml_source import Source


def system_of(values: dict[str, Any], source: Source) -> System:
    """What config.yaml says; `values` have passed its schema."""
    folder = source.path.parent
    written = source.written.get("broker", {}).get("url", "embedded")
    return msgspec.convert(
        {
            **{
                key: values[key]
                for key in ("fleet", "notification", "trusted_modules", "lease_s", "retention", "alerts", "metrics")
            },
            "path": str(source.path),
            "broker": {"url": values["broker"]["url"], "masked_url": hide_password(written)},
            "datasets": datasets_of(values, source),
            "artifacts_root": absolute(values["artifacts"]["uri"], folder).rstrip("/"),
        },
        System,
    )


def datasets_of(values: dict[str, Any], source: Source) -> dict[str, dict[str, Any]]:
    """Its datasets by name, as they may be converted: paths absolute, and what a table of labels brings filled in."""
    return {
        name: {**with_labels(_absolute(given, source.path.parent)), **_times(given), "name": name}
        for name, given in values["storage"]["datasets"].items()
    }


def pipeline_of(values: dict[str, Any], source: Source) -> Pipeline:
    """What pipeline.yaml says; `values` have passed its schema. Without a window for the composite one is added."""
    for key in ("dataloader_workers", "augmentation"):
        values["training"].pop(key, None)
    values["logging"].pop("tensorboard", None)
    if values["model"]["pretrained_uri"] is not None:
        values["model"]["pretrained_uri"] = absolute(values["model"]["pretrained_uri"], source.path.parent)
    for _, name, options in strategies_within(values["strategy"]["name"], values["strategy"]["options"]):
        if name == "rho_loss" and options["holdout"] != ON_VALIDATION:
            options["holdout"] = absolute(options["holdout"], source.path.parent)
    windows = values["evaluation"]["on"]
    if not any(window["extent"]["kind"] == "until_next_trigger" for window in windows):
        name = _free_name({window["name"] for window in windows})
        windows.insert(0, {"name": name, "extent": {"kind": "until_next_trigger"}, "split": None})
    if values["evaluation"]["estimate"] is not None:
        values["evaluation"]["estimate"] = _estimate(values)
    if values["deployment"] is not None:
        values["deployment"]["targets"] = [
            _target(chosen, source.path.parent) for chosen in values["deployment"]["targets"]
        ]
    return msgspec.convert(values, Pipeline)


def _absolute(dataset: dict[str, Any], folder: Path) -> dict[str, Any]:
    labels = dataset.get("labels")
    return {
        **dataset,
        "uri": absolute(dataset["uri"], folder),
        "labels": None if labels is None else {**labels, "uri": absolute(labels["uri"], folder)},
    }


def _times(given: dict[str, Any]) -> dict[str, Any]:
    """The column of times and how they are written, of which the unit may stand in two places."""
    said = given["timestamp"]
    unit = given["unit"] if given["unit"] is not None else said["unit"]
    return {"timestamp": said["column"], "unit": unit, "format": said["format"], "zone": said["zone"]}


def _estimate(values: dict[str, Any]) -> dict[str, Any]:
    """What is estimated, and on which split it is calibrated, said or not."""
    given, split = values["evaluation"]["estimate"], values["data"]["split"]
    calibrate_on = given["calibrate_on"] or ("validation" if split["validation"] else "test")
    metrics = given["metrics"] or estimable(values["evaluation"]["metrics"])
    return {**given, "calibrate_on": calibrate_on, "metrics": metrics}


def _free_name(taken: Container[str]) -> str:
    """What the window of the composite is called where the file names none."""
    names = chain(("next", "until_next_trigger", "prequential"), (f"next-{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def _target(chosen: dict[str, Any], folder: Path) -> dict[str, Any]:
    options = dict(chosen["options"])
    del options["name"]
    uri = absolute(options.pop("uri"), folder)
    return {"name": name_of_target(chosen["options"]), "kind": chosen["name"], "uri": uri, "options": options}

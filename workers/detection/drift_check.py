"""What of a policy's questions about drift can never be answered: found before a run starts, not at its first look."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import torch
from torch import nn

from shared.config.pipeline import Named
from shared.errors import ConfigurationError
from shared.words import counted, meant
from workers.detection.matrix import most_features
from workers.detection.measures.streamed import STREAMED, require_river
from workers.features.encoder import FeatureEncoder
from workers.features.matrix import model_input
from workers.features.source import SampleSource
from workers.models.embedding import LastInput

_POLICIES = ("data_drift", "performance_forecast")
_SAMPLE_ROWS = 4_096


class Tried(Protocol):
    """A model that was made, and a few encoded rows."""

    @property
    def model(self) -> nn.Module:
        """The network."""

    @property
    def encoder(self) -> FeatureEncoder:
        """Which encoded them."""

    @property
    def rows(self) -> torch.Tensor:
        """(rows, width)."""


def refuse_drift(trigger: Named, source: SampleSource | None, tried: Tried | None) -> None:
    """Raise ConfigurationError for features, a model or a package that a policy which asks about drift, wherever it
    stands, needs and that are not there. Without rows or a model these are not judged.
    """
    for options in _options_in(msgspec.to_builtins(trigger)):
        if options["space"] == "input" and source is not None:
            _refuse_components(options.get("pca"), _most_features(source, compared_columns(source, options["ignore"])))
        if options["space"] == "embedding" and tried is not None:
            _refuse_components(options.get("pca"), _embedding_width(tried))
        if any(one["name"] in STREAMED for one in options.get("statistics", ())):
            require_river()


def refuse_after_drift(guard: Mapping[str, Any] | None, source: SampleSource | None) -> None:
    """Raise ConfigurationError where `after_drift: {rows: auto}` has no rows of numbers to look at. `guard`: as it
    loads; None: there is none.
    """
    if guard is not None and guard["rows"] == "auto" and source is not None:
        tested_columns(source, guard["ignore"])


def tested_columns(source: SampleSource, ignored: Sequence[str]) -> list[str]:
    """Those that a test on the rows alone looks at; there is no model that would make numbers of others.

    Raises ConfigurationError likewise.
    """
    config = source.config
    if config.text is not None or (config.image is None and not source.feature_columns):
        what = "is text" if config.text is not None else "has no feature columns"
        raise ConfigurationError(
            f"dataset {config.name} {what}, and `after_drift: {{rows: auto}}` looks at rows of numbers, without a "
            "model; write a number of rows, such as `rows: 500`."
        )
    return compared_columns(source, ignored)


def compared_columns(source: SampleSource, ignored: Sequence[str]) -> list[str]:
    """Those whose drift is measured: the image's, or the features but the ignored ones.

    Raises ConfigurationError for a dataset whose features are no numbers by themselves, and for columns that cannot be
    left out.
    """
    _refuse_without_numbers(source)
    image = source.config.image
    columns = list(source.feature_columns) if image is None else []
    for name in ignored:
        if name not in columns:
            near = meant(name, columns)
            others = f"did you mean {near}?" if near else f"there are {', '.join(columns) or 'none'}."
            raise ConfigurationError(
                f"`ignore` names {name}, which is no feature column of dataset {source.config.name}; {others}"
            )
    if image is not None:
        return [image.column]
    left = [name for name in columns if name not in ignored]
    if not left:
        raise ConfigurationError(
            f"`ignore` names all feature columns of dataset {source.config.name}; leave one to compare."
        )
    return left


def _refuse_without_numbers(source: SampleSource) -> None:
    config = source.config
    if config.text is not None:
        raise ConfigurationError(
            f"dataset {config.name} is text, which is no row of numbers whose drift could be measured; "
            "write `space: embedding` to compare it as the current model sees it."
        )
    if config.image is None and not source.feature_columns:
        raise ConfigurationError(
            f"dataset {config.name} has no feature columns to compare; name some with `features:` in config.yaml, or "
            "write `space: embedding`."
        )


def _most_features(source: SampleSource, columns: list[str]) -> int:
    """That its rows can have, by the first of them."""
    image = source.config.image
    if image is not None:
        return math.prod(image.shape)
    _, rows = next(iter(source.batches(columns, 0, min(source.rows, _SAMPLE_ROWS), _SAMPLE_ROWS)))
    return most_features(rows)


def _refuse_components(components: int | None, features: int) -> None:
    if components is not None and components > features:
        raise ConfigurationError(
            f"`pca` asks data_drift for {counted(components, 'principal component')}, and what is compared has "
            f"{counted(features, 'feature')} at most; write `pca: {features}` or less, or leave it out."
        )


def _embedding_width(tried: Tried) -> int:
    """Raises ConfigurationError for a model that has none."""
    network, training = tried.model, tried.model.training
    rows = tried.rows.to(next((one.device for one in network.parameters()), torch.device("cpu")))
    try:
        with torch.no_grad(), LastInput(network.eval()) as last:
            network(model_input(rows, tried.encoder))
            return last.of(len(rows)).shape[1]
    finally:
        network.train(training)


def _options_in(value: Any) -> Iterator[dict[str, Any]]:
    """Those of each such policy in a trigger's values, however deep in an ensemble."""
    if isinstance(value, dict):
        if value.get("name") in _POLICIES and "options" in value:
            yield value["options"]
        for one in value.values():
            yield from _options_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _options_in(one)

"""POLICIES.yaml: the grid, the prices and the policies of a back-test, checked with the pipeline that they are for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from shared.config.changes import Change, put
from shared.config.fields import quoted
from shared.config.grafted import Graft
from shared.config.load import Configuration, grafted_configuration, load_values
from shared.config.pipeline import Metric, TrainingStrategy
from shared.config.schema.policies import PoliciesSchema
from shared.config.yaml_source import Source, yaml_line
from shared.errors import ConfigurationError
from shared.plugins import TRIGGERS
from supervisor.backtest.grid.dependence import of_strategy, refuse_dependent
from supervisor.backtest.grid.prices import Price
from supervisor.backtest.grid.row_metric import row_metric
from supervisor.system.both_files import load_both

_GRIDLESS = "write such as `grid: {every: 7d}`, or name runs whose models are there already with --runs."
_PRICELESS = (
    "{} weighs what trainings and errors cost, and there is no price of a training; write such as `prices: [100]` for "
    "all policies, where a training costs as much as 100 errors, or `price: {{training: 5, error: 0.01}}` here."
)


class Series(NamedTuple):
    """A strategy of which the grid has models."""

    title: str
    strategy: TrainingStrategy
    written: Any  # as POLICIES.yaml has it; None: the pipeline's own


class Tested(NamedTuple):
    """A policy that is tried."""

    name: str
    block: dict[str, Any]  # a `trigger:` group as it is meant: with the environment's values, and with the first price
    # where it needs one and has none
    configuration: Configuration  # the pipeline with this trigger


class Policies(NamedTuple):
    """What the file says, all of it checked."""

    configuration: Configuration  # the pipeline as it is, whose trigger counts for nothing
    clock: dict[str, Any]  # `trigger:` of the grid's runs; empty where the file has no grid
    series: tuple[Series, ...]  # the pipeline's own strategy first
    prices: tuple[Price, ...]  # where the file has none, that of the pipeline's own trigger, if it has one
    metric: Metric  # by which errors are counted
    policies: tuple[Tested, ...]
    ladders: dict[str, dict[str, tuple[Any, ...]]]  # name → dotted key → values to try
    source: Source  # the file itself

    @property
    def every(self) -> str | int:
        """How far apart the models of the grid that is there are, as it is written: a duration, or so many rows."""
        every: str | int = self.clock["every"]
        return every


def load_policies(
    path: Path,
    pipeline: Path,
    config: Path,
    changes: Sequence[Change] = (),
    *,
    metric: str | None = None,
    trains: bool = True,
) -> Policies:
    """Read and check all three files; `metric`: the label of the one that counts errors, if it is said; `trains`:
    whether models of the grid are to be trained, so that there has to be one.

    Raises ConfigurationError with every problem, of a policy at its line.
    """
    problems: list[str] = []
    configuration, read = None, None
    try:
        configuration = load_both(pipeline, config, changes, experiment_mode=True)
    except ConfigurationError as error:
        problems += error.problems
    try:
        read = load_values(PoliciesSchema(), path)
    except ConfigurationError as error:
        problems += error.problems
    if read is not None and trains and read[0]["grid"] is None:
        problems.append(f"{read[1].told('grid')}: is missing; {_GRIDLESS}")
    if configuration is None or read is None or problems:
        raise ConfigurationError(*problems)
    return _Reading(configuration, *read).all(metric)


def with_block(tested: Tested, block: dict[str, Any]) -> Tested:
    """The same policy with another group. Raises ConfigurationError."""
    source = tested.configuration.pipeline_source
    configuration = grafted_configuration(tested.configuration, {"trigger": Graft(source, "trigger", block, block)})
    _refuse_aside(configuration)
    return Tested(tested.name, block, configuration)


def _refuse_aside(configuration: Configuration) -> None:
    """Raise ConfigurationError for a policy that sets rows aside: no model of the grid was trained without them."""
    expect = configuration.pipeline.trigger.guards.get("expect")
    if expect is not None and expect["on_violation"] != "alert":
        at = configuration.pipeline_source.told("trigger.expect.on_violation")
        told = f"sets rows aside ({expect['on_violation']}), and the grid's models were trained on them;"
        raise ConfigurationError(f"{at}: {told} write `on_violation: alert`, or leave `expect` out.")


class _Reading:
    """Checks what the schema has loaded, and notes all that is wrong."""

    def __init__(self, stock: Configuration, values: Mapping[str, Any], source: Source) -> None:
        self._stock, self._values, self._source = stock, values, source
        self._clock: dict[str, Any] = {} if values["grid"] is None else values["grid"]["every"]
        self._problems: list[str] = []

    def all(self, label: str | None) -> Policies:
        """What it says. Raises ConfigurationError."""
        metric = row_metric(self._stock.pipeline, label)
        prices = self._prices()
        price = next((one for one in (price.block(metric) for price in prices) if one is not None), None)
        series, tested = self._series(), list[Tested]()
        for name in self._values["policies"]:
            with self._noting():
                tested.append(self._tested(name, price))
        for one in tested:
            self._try_steps(one)
        if self._problems:
            raise ConfigurationError(*dict.fromkeys(self._problems))
        ladders = {
            name: {key: tuple(steps) for key, steps in ladder.items()} for name, ladder in self._values["tune"].items()
        }
        return Policies(self._stock, self._clock, series, prices, metric, tuple(tested), ladders, self._source)

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except ConfigurationError as error:
            self._problems += error.problems

    def _prices(self) -> tuple[Price, ...]:
        own = self._stock.pipeline.trigger.price
        given = self._source.values.get("prices") or []
        given = given if isinstance(given, list) else [given]
        found = tuple(Price.read(*both) for both in zip(self._values["prices"], given, strict=True))
        return found or (() if own is None else (Price.of_policy(own),))

    def _series(self) -> tuple[Series, ...]:
        """The pipeline's own strategy, and the others; one that means the same as another is the same."""
        stock = self._stock.pipeline_source
        own = stock.written.get("strategy") or {"name": self._stock.pipeline.strategy.name}
        found = [Series(title_of(own), self._stock.pipeline.strategy, None)]
        with self._noting():
            refuse_dependent(self._stock)
        written = (self._source.written.get("grid") or {}).get("strategies") or []
        for number, given in enumerate(written):
            value = self._source.values["grid"]["strategies"][number]
            graft = Graft(self._source, f"grid.strategies.{number}", given, value)
            with self._noting():
                configuration = grafted_configuration(self._stock, {"strategy": graft})
                self._problems += [
                    f"{configuration.pipeline_source.told(path)}: {sentence}"
                    for path, sentence in of_strategy(configuration.pipeline.strategy)
                ]
                if configuration.pipeline.strategy not in [one.strategy for one in found]:
                    found.append(Series(title_of(value), configuration.pipeline.strategy, given))
        return tuple(found)

    def _tested(self, name: str, price: dict[str, Any] | None) -> Tested:
        path = f"policies.{name}"
        if price is None and (without := list(unpriced(self._source.values["policies"][name], path))):
            raise ConfigurationError(*(f"{self._source.told(at)}: {_PRICELESS.format(one)}" for at, one in without))
        written, value = (priced(of["policies"][name], price) for of in (self._source.written, self._source.values))
        configuration = grafted_configuration(self._stock, {"trigger": Graft(self._source, path, written, value)})
        _refuse_aside(configuration)
        return Tested(name, value, configuration)

    def _try_steps(self, tested: Tested) -> None:
        """Each value that is to be tried must be one that its key may have."""
        for key, steps in self._values["tune"].get(tested.name, {}).items():
            for step in steps:
                block = deepcopy(tested.block)
                at = f"{self._source.told(f'tune.{tested.name}.{key}')}: {quoted(step)} cannot be tried"
                told = put(block, key, step)
                if told is not None:
                    self._problems.append(f"{at}: {told}")
                    break
                try:
                    with_block(tested, block)
                except ConfigurationError as error:
                    self._problems.append(f"{at}: {error.problems[0]}")


def title_of(written: Mapping[str, Any]) -> str:
    """A strategy as people read it: `uniform limit=500`."""
    options = {key: one for key, one in written.items() if key not in ("name", "config")}
    options |= written.get("config") or {}
    return " ".join([str(written["name"]), *(f"{key}={yaml_line(one)}" for key, one in options.items())])


def priced(block: Any, price: dict[str, Any] | None) -> Any:
    """A group with this price in it, and in groups of policies within it, where one weighs costs and has none."""
    if isinstance(block, list):
        return [priced(one, price) for one in block]
    if not isinstance(block, dict):
        return block
    found = {key: priced(one, price) for key, one in block.items()}
    if price is not None and "price" not in block and _weighs_costs(block.get("policy")):
        found["price"] = price
    return found


def unpriced(block: Any, path: str) -> Iterator[tuple[str, str]]:
    """(place, policy) of each group that weighs costs and has no price, this one or within it."""
    if isinstance(block, list):
        for number, one in enumerate(block):
            yield from unpriced(one, f"{path}.{number}")
    elif isinstance(block, dict):
        if "price" not in block and _weighs_costs(block.get("policy")):
            yield path, block["policy"]
        for key, one in block.items():
            yield from unpriced(one, f"{path}.{key}")


def _weighs_costs(name: Any) -> bool:
    if not isinstance(name, str) or name not in TRIGGERS:
        return False
    try:
        return bool(TRIGGERS[name].weighs_costs)
    except ConfigurationError:  # it cannot be used, which is told where it stands
        return False

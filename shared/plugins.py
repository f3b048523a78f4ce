"""Whatever is chosen by a name in a YAML file: ours in these tables, a line each, and others' by entry point.

An entry is `module:class`, as in an entry point of a package; a module is imported when somebody names what is in it,
and its class must be what the base of its kind, which each table names, asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from inspect import isclass
from typing import Any, Generic, Protocol, TypeVar

from shared.errors import ConfigurationError

T = TypeVar("T")


class Plugins(Mapping[str, T], Generic[T]):
    """Name → class, of one kind. Looking one up raises ConfigurationError if none that can be used is there."""

    def __init__(self, group: str, base: str, own: Mapping[str, str]) -> None:
        self.group, self.base = group, base
        self.own = tuple(own)  # names of those that come with Modyn
        self._own = {name: [EntryPoint(name, place, group)] for name, place in own.items()}
        self._claims: dict[str, list[EntryPoint]] | None = None
        self._loaded: dict[str, T] = {}

    def describe(self, name: str) -> str:
        """A name, and where what it stands for comes from, as an error says it."""
        return f"{name} ({self.group}, {' and '.join(map(_place, self._all()[name]))})"

    def _all(self) -> dict[str, list[EntryPoint]]:
        """Who brings which name: ours, which nobody can replace, then others'."""
        if self._claims is None:
            self._claims = dict(self._own)
            for entry in sorted(entry_points(group=self.group), key=lambda one: (one.name, one.value)):
                if entry.name not in self._own:
                    self._claims.setdefault(entry.name, []).append(entry)
        return self._claims

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> Any:
        claims = self._all().get(name)
        if claims is None:
            remedy = "Install the package that brings it, for the workers too."
            raise ConfigurationError(f"{name} ({self.group}) is not installed here. {remedy}")
        if len(claims) > 1:
            raise ConfigurationError(f"{self.describe(name)} has two meanings. Uninstall one of these packages.")
        base = EntryPoint("", self.base, self.group).load()
        try:
            loaded = claims[0].load()
            objection = _objection(loaded, base)
        except Exception as error:  # a package's own code runs here
            said = f"{type(error).__name__}: {error}"
            sentence = f"{self.describe(name)} cannot be imported: {said}. Mend or uninstall it."
            raise ConfigurationError(sentence) from error
        if objection is not None:
            raise ConfigurationError(f"{self.describe(name)} {objection}. Mend or uninstall it.")
        return loaded

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _place(entry: EntryPoint) -> str:
    return f"{entry.value} of {entry.dist.name if entry.dist is not None else 'this installation'}"


def _objection(loaded: Any, base: Any) -> str | None:
    """Why what was loaded is nothing of its kind; None if it is. What is of a protocol need not derive from it."""
    if not isclass(loaded):
        return f"is a value of type {type(loaded).__name__}, not a class"
    if Protocol not in base.__bases__ and not issubclass(loaded, base):
        return f"does not derive from {_full_name(base)}"
    asked = {name: None for name in (*base.__annotations__, *vars(base)) if not name.startswith("_")}
    lacking = [name for name in asked if not hasattr(loaded, name)]
    if lacking:
        return f"has no {', no '.join(lacking)}, which {_full_name(base)} asks for"
    schema, given = getattr(base, "Schema", None), getattr(loaded, "Schema", None)
    if schema is not None and not (isclass(given) and issubclass(given, schema)):
        return f"has a Schema that does not derive from {_full_name(schema)}"
    return None


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


TRIGGERS: Plugins[Any] = Plugins(
    "modyn.triggers",
    "supervisor.triggers.policy:TriggerPolicy",
    {
        "data_amount": "supervisor.triggers.data_amount:DataAmount",
        "time": "supervisor.triggers.time:Time",
        "schedule": "supervisor.triggers.schedule:Schedule",
        "data_drift": "supervisor.triggers.data_drift:DataDrift",
        "performance": "supervisor.triggers.performance:Performance",
        "estimated_performance": "supervisor.triggers.estimated_performance:EstimatedPerformance",
        "cost": "supervisor.triggers.cost:Cost",
        "cost_threshold": "supervisor.triggers.cost_staleness:CostThreshold",
        "cost_cumulative": "supervisor.triggers.cost_staleness:CostCumulative",
        "cost_periodic": "supervisor.triggers.cost_periodic:CostPeriodic",
        "performance_forecast": "supervisor.triggers.performance_forecast:PerformanceForecast",
        "ensemble": "supervisor.triggers.ensemble:Ensemble",
    },
)
GUARDS: Plugins[Any] = Plugins(  # the innermost first
    "modyn.guards",
    "supervisor.triggers.guard:Guard",
    {
        "warm_up": "supervisor.triggers.guards.warm_up:WarmUp",
        "cool_down": "supervisor.triggers.guards.cool_down:CoolDown",
        "after_drift": "supervisor.triggers.guards.after_drift:AfterDrift",
        "max_wait": "supervisor.triggers.guards.max_wait:MaxWait",
        "budget": "supervisor.triggers.guards.budget:Budget",
        "expect": "supervisor.triggers.guards.expect:Expect",
    },
)
DETECTORS: Plugins[Any] = Plugins(
    "modyn.detectors",
    "workers.detection.detector:Detector",
    {
        "drift": "workers.detection.drift:Drift",
        "performance": "workers.detection.performance:Performance",
        "estimated_performance": "workers.estimation.estimated_performance:EstimatedPerformance",
        "expect": "workers.detection.expect:Expect",
        "enough_rows": "workers.detection.enough_rows:EnoughRows",
    },
)
STRATEGIES: Plugins[Any] = Plugins(
    "modyn.strategies",
    "shared.strategies.strategy:Strategy",
    {
        "new_data": "shared.strategies.plain.new_data:NewData",
        "all_data": "shared.strategies.plain.all_data:AllData",
        "sliding_window": "shared.strategies.plain.sliding_window:SlidingWindow",
        "latest": "shared.strategies.plain.latest:Latest",
        "uniform": "shared.strategies.plain.uniform:Uniform",
        "recency": "shared.strategies.plain.recency:Recency",
        "balanced": "shared.strategies.plain.balanced:Balanced",
        "reservoir": "shared.strategies.memories.reservoir:Reservoir",
        "class_balanced_reservoir": "shared.strategies.memories.class_balanced_reservoir:ClassBalancedReservoir",
        "gdumb": "shared.strategies.memories.gdumb:GDumb",
        "herding": "shared.strategies.memories.herding:Herding",
        "replay_mix": "shared.strategies.memories.replay_mix:ReplayMix",
        "freshness": "shared.strategies.memories.freshness:Freshness",
        "k_center": "shared.strategies.coresets:KCenter",
        "facility_location": "shared.strategies.coresets:FacilityLocation",
        "craig": "shared.strategies.coresets:Craig",
        "grad_match": "shared.strategies.coresets:GradMatch",
        "graph_cut": "shared.strategies.coresets:GraphCut",
        "log_determinant": "shared.strategies.coresets:LogDeterminant",
        "loss": "shared.strategies.importance:Loss",
        "gradient_norm": "shared.strategies.importance:GradientNorm",
        "margin": "shared.strategies.importance:Margin",
        "entropy": "shared.strategies.importance:Entropy",
        "least_confidence": "shared.strategies.importance:LeastConfidence",
        "rho_loss": "shared.strategies.rho_loss:RhoLoss",
        "pipeline": "shared.strategies.together.pipeline:Pipeline",
        "schedule": "shared.strategies.together.schedule:Schedule",
        "rs2": "shared.strategies.trained_rules:RS2",
        "infobatch": "shared.strategies.trained_rules:InfoBatch",
    },
)
FORMATS: Plugins[Any] = Plugins(
    "modyn.formats",
    "shared.dataset.formats.format:Format",
    {
        "parquet": "shared.dataset.formats.parquet:Parquet",
        "csv": "shared.dataset.formats.csv:Csv",
        "json_lines": "shared.dataset.formats.json_lines:JsonLines",
    },
)
METRICS: Plugins[Any] = Plugins(
    "modyn.metrics",
    "shared.metrics.metric:MetricKind",
    {
        "accuracy": "shared.metrics.accuracy:Accuracy",
        "top_k": "shared.metrics.top_k:TopK",
        "f1": "shared.metrics.f1:F1",
        "auroc": "shared.metrics.auroc:Auroc",
        "log_loss": "shared.metrics.log_loss:LogLoss",
        "mse": "shared.metrics.mse:Mse",
        "mae": "shared.metrics.mae:Mae",
    },
)
TARGETS: Plugins[Any] = Plugins(
    "modyn.targets",
    "shared.targets.target:DeploymentTarget",
    {
        "directory": "shared.targets.directory:DirectoryTarget",
    },
)

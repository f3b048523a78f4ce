"""Whatever is chosen by a name in a YAML file: ours in these tables, a line each, and others' by entry point.

An entry is `module:object`, as in an entry point of a package; a module is imported when somebody names what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from shared.errors import ConfigurationError

T = TypeVar("T")


class Plugins(Mapping[str, T], Generic[T]):
    """Name → object, of one kind. Looking one up raises ConfigurationError if it cannot be imported."""

    def __init__(self, group: str, own: Mapping[str, str]) -> None:
        self.group = group
        self.own = tuple(own)  # names of those that come with Modyn
        self._entries = {name: EntryPoint(name, place, group) for name, place in own.items()}
        self._others: dict[str, EntryPoint] | None = None
        self._loaded: dict[str, T] = {}

    def _all(self) -> dict[str, EntryPoint]:
        """Ours cannot be replaced by another of the same name."""
        if self._others is None:
            self._others = {entry.name: entry for entry in entry_points(group=self.group)}
        return {**self._others, **self._entries}

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            entry = self._all()[name]
            try:
                loaded: Any = import_module(entry.module)
                for attribute in entry.attr.split("."):
                    loaded = getattr(loaded, attribute)
            except Exception as error:  # a package's own code runs here
                raise ConfigurationError(_unloadable(self.group, entry, error)) from error
            self._loaded[name] = loaded
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _unloadable(group: str, entry: EntryPoint, error: Exception) -> str:
    package = entry.dist.name if entry.dist is not None else "this installation"
    said = f"{type(error).__name__}: {error}"
    return f"{entry.name} ({group}, {entry.value} of {package}) cannot be imported: {said}. Mend or uninstall it."


TRIGGERS: Plugins[Any] = Plugins(
    "modyn.triggers",
    {
        "data_amount": "supervisor.triggers.data_amount:DataAmount",
        "time": "supervisor.triggers.time:Time",
    },
)
STRATEGIES: Plugins[Any] = Plugins(
    "modyn.strategies",
    {
        "new_data": "shared.strategies.new_data:NewData",
        "all_data": "shared.strategies.all_data:AllData",
    },
)
FORMATS: Plugins[Any] = Plugins(
    "modyn.formats",
    {
        "parquet": "shared.dataset.formats.parquet:Parquet",
        "csv": "shared.dataset.formats.csv:Csv",
    },
)
METRICS: Plugins[Any] = Plugins(
    "modyn.metrics",
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
    {
        "directory": "shared.targets.directory:DirectoryTarget",
    },
)

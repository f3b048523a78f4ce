"""What other packages bring is used if it is what its kind asks for, and else refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from marshmallow import ValidationError
from packages import install

from shared.config.resolved import as_written
from shared.config.schema.evaluation import MetricField
from shared.errors import ConfigurationError
from shared.plugins import DETECTORS, FORMATS, GUARDS, METRICS, STRATEGIES, TARGETS, TRIGGERS, Plugins

CODE = """
from marshmallow import Schema
from shared.config import fields as f
from shared.metrics.metric import MetricKind
from shared.strategies.strategy import Strategy
from shared.targets.target import DeploymentTarget
from supervisor.triggers.guard import Guard


class Alone:
    pass


class Text:
    suffixes = (".txt",)

    def schema(self, file): ...

    def count_rows(self, file): ...


class Unguarded(Guard):
    pass


class Undirected(MetricKind):
    task = "regression"


class Unchecked(Strategy):
    class Schema(Schema):
        pass


class Nowhere(DeploymentTarget):
    class Schema(f.Group):
        pass


class Beta(MetricKind):
    task = "classification"
    greater_is_better = True

    class Schema(f.Group):
        beta_ = f.Whole("how much", load_default=1, data_key="beta")
        last_s = f.Duration("how long", load_default=60.0, data_key="last")


def made():
    pass
"""


def others(plugins: Plugins[type]) -> Plugins[type]:
    """What others bring of a kind, looked for anew."""
    return Plugins(plugins.group, plugins.base, {})


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that packages are installed into."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("plugins", "what", "told"),
    [
        (TRIGGERS, "made", "is a value of type function, not a class."),
        (TRIGGERS, "Alone", "does not derive from supervisor.triggers.policy.TriggerPolicy."),
        (GUARDS, "Alone", "does not derive from supervisor.triggers.guard.Guard."),
        (GUARDS, "Unguarded", "has no option, which supervisor.triggers.guard.Guard asks for."),
        (DETECTORS, "Alone", "does not derive from workers.detection.detector.Detector."),
        (STRATEGIES, "Alone", "does not derive from shared.strategies.strategy.Strategy."),
        (STRATEGIES, "Unchecked", "has a Schema that does not derive from shared.config.fields.groups.Group."),
        (FORMATS, "Text", "has no title, no batches, which shared.dataset.formats.format.Format asks for."),
        (METRICS, "Alone", "does not derive from shared.metrics.metric.MetricKind."),
        (METRICS, "Undirected", "has no greater_is_better, which shared.metrics.metric.MetricKind asks for."),
        (TARGETS, "Nowhere", "has a Schema that does not derive from shared.targets.target.TargetOptions."),
    ],
)
def test_what_is_nothing_of_its_kind_is_refused(elsewhere: Path, plugins: Plugins[type], what: str, told: str) -> None:
    """With its package, and what it lacks, before anybody relies on it."""
    install(elsewhere, "half_made", plugins.group, {"mine": what}, CODE)
    with pytest.raises(ConfigurationError) as caught:
        others(plugins)["mine"]
    assert str(caught.value) == f"mine ({plugins.group}, half_made:{what} of half_made) {told} Mend or uninstall it."


@pytest.mark.parametrize(
    "plugins", [TRIGGERS, GUARDS, DETECTORS, STRATEGIES, FORMATS, METRICS, TARGETS], ids=lambda one: one.group
)
def test_ours_are_what_their_kind_asks_for(plugins: Plugins[type]) -> None:
    """Each line of the tables names a class that can be used."""
    assert all(isinstance(plugins[name], type) for name in plugins.own)


def test_a_name_that_two_packages_bring_is_refused(elsewhere: Path) -> None:
    """What it means would depend on which was installed first; both are named."""
    install(elsewhere, "one_beta", METRICS.group, {"beta": "Beta"}, CODE)
    install(elsewhere, "two_beta", METRICS.group, {"beta": "Beta"}, CODE)
    metrics = others(METRICS)
    assert "beta" in metrics
    with pytest.raises(ConfigurationError) as caught:
        metrics["beta"]
    assert "one_beta:Beta of one_beta and two_beta:Beta of two_beta) has two meanings." in str(caught.value)


def test_what_is_not_installed_is_asked_for() -> None:
    """As on a worker that lacks a package which the supervisor has."""
    with pytest.raises(ConfigurationError, match="Install the package that brings it, for the workers too"):
        METRICS["no_such_metric"]


def test_a_metric_that_cannot_be_imported_is_a_mistake_at_its_key(elsewhere: Path) -> None:
    """One mistake among others, so that it hides none of them."""
    install(elsewhere, "unimportable", METRICS.group, {"beta": "Beta"}, "import no_such_module\n")
    with pytest.raises(ValidationError, match="of unimportable\\) cannot be imported: ModuleNotFoundError"):
        MetricField(others(METRICS), "").deserialize("beta")


def test_options_of_a_metric_are_called_what_the_file_calls_them(elsewhere: Path) -> None:
    """Read and written under the same keys, whatever they are called in the code."""
    install(elsewhere, "beta_metric", METRICS.group, {"beta": "Beta"}, CODE)
    field = MetricField(others(METRICS), "")
    read = field.deserialize({"name": "beta", "beta": 2})
    assert read == {"name": "beta", "label": "beta", "options": {"beta_": 2, "last_s": 60.0}}
    assert as_written(field, read) == {"name": "beta", "beta": 2, "last": "60s"}
    with pytest.raises(ValidationError, match="is not a key here; did you mean beta"):
        field.deserialize({"name": "beta", "beta_": 2})

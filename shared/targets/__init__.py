"""Where models are deployed to: a module a kind of target, and the table in shared/plugins.py that names them."""

from __future__ import annotations

from shared.config.pipeline import Target
from shared.plugins import TARGETS
from shared.targets.target import DeploymentTarget


def open_target(target: Target) -> DeploymentTarget:
    """The target that an entry of `deployment.targets` means. Raises ConfigurationError if it cannot be imported."""
    return TARGETS[target.kind](target.uri, target.options)  # type: ignore[no-any-return]

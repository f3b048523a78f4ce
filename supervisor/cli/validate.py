"""`validate`: all that is wrong, and what was understood, without running anything."""

from __future__ import annotations

import argparse
import importlib.util
import json
from typing import Any

import msgspec

from shared.config.changes import changes_of
from shared.config.load import Configuration, load_configuration
from shared.config.secrets import hide
from shared.errors import NotReadyError
from supervisor.cli.console import table_console
from supervisor.cli.understood import show
from supervisor.run.start.label_room import label_problems
from supervisor.run.start.understanding import Understanding
from supervisor.run.start.validation import check_offline, check_system, look_offline
from supervisor.system.both_files import load_both


def run(arguments: argparse.Namespace) -> int:
    """Check the files, then the system they need; 0 if a run could start. Raises ModynError with what is wrong."""
    load = load_configuration if arguments.offline else load_both
    changes, experiment = changes_of(arguments.set), arguments.experiment_mode
    configuration = load(arguments.pipeline, arguments.config, changes, experiment_mode=experiment)
    found = _Found(lines=not arguments.json, mode="experiment" if arguments.experiment_mode else "production")
    found.say("configuration: no mistake in the keys and values of both files")
    if arguments.offline:
        _offline(configuration, found, follows=not arguments.experiment_mode)
    else:
        ready = check_system(configuration, found, follows=not arguments.experiment_mode)
        found.content |= {"workers": ready.workers, "model_checked": ready.tried}
        what = f"broker, dataset and {ready.workers} workers are ready; the pipeline was tried on a few rows"
        waits = f"broker and {ready.workers} workers are ready; the pipeline is tried once there are rows"
        found.say(f"system: {what if ready.tried else waits}")
    if arguments.json:
        table_console().print_json(json.dumps(found.content))
    return 0


def _offline(configuration: Configuration, found: _Found, *, follows: bool) -> None:
    try:
        seen = look_offline(configuration, follows=follows)
        found.understood(seen)
        dataset = configuration.system.datasets[seen.dataset.name]
        found.warn(list(label_problems(configuration.pipeline, dataset, seen.dataset.label)))
    except NotReadyError as error:
        found.warn(list(error.problems))
    if importlib.util.find_spec("torch") is None:
        found.say("model, optimizer and loss: not checked, PyTorch is not installed here")
    else:
        check_offline(configuration)
        model = configuration.pipeline.model.id
        found.content["model_checked"] = ":" not in model  # a class of one's own is made for rows that are there
        own = f"optimizer and loss: can be made; {model} can be imported, and is tried on rows without --offline"
        found.say(own if ":" in model else "model, optimizer and loss: can be made")


class _Found:
    """What there is to say: each line as it comes, or all of it as one JSON object, which docs/data.md explains."""

    def __init__(self, *, lines: bool, mode: str) -> None:
        self._console = table_console() if lines else None
        self.content: dict[str, Any] = {
            "mode": mode,
            "dataset": None,
            "initial_mode": None,
            "policy": None,
            "guards": None,
            "label_delay": None,
            "triggers": None,
            "warnings": [],
            "workers": None,
            "model_checked": False,
        }

    def say(self, line: str) -> None:
        """A line for people alone."""
        if self._console is not None:
            self._console.print(hide(line), markup=False, highlight=False, soft_wrap=True)

    def warn(self, sentences: list[str]) -> None:
        """What may be wrong."""
        self.content["warnings"] += [hide(sentence) for sentence in sentences]
        for sentence in sentences:
            self.say(f"! {sentence}")

    def understood(self, what: Understanding) -> None:
        """What the dataset holds, and what looks wrong."""
        told = msgspec.to_builtins(what)
        self.content |= {key: value for key, value in told.items() if key != "warnings"}
        self.content["dataset"]["uri"] = hide(what.dataset.uri)
        if self._console is not None:
            show(self._console, what)
        self.warn(list(what.warnings))

"""Questions of different replays that have the same answer: of a model, whichever trigger it is that of."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import msgspec

from shared.ids import TriggerId
from shared.messages.tasks import DetectTask

# Of these detectors triggers are only names: those of the current model, and of the stretches that models trained on.
_NAMES_ONLY = frozenset({"drift", "performance", "estimated_performance"})
_ANY = TriggerId(0)


class SameQuestion(NamedTuple):
    """What is asked in the place of a question, and how its answer becomes that of the question."""

    task: DetectTask
    named: TriggerId | None  # what the model is called in the question; None: as it is here

    @property
    def key(self) -> bytes:
        """Equal for questions with the same answer."""
        task = msgspec.structs.replace(self.task, trigger_id=_ANY, number=0)
        return hashlib.sha256(msgspec.json.encode(task, order="sorted")).digest()

    def of(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The question's own."""
        if self.named is None or answer.get("model") is None:
            return answer
        return {**answer, "model": self.named}


def same_question(task: DetectTask) -> SameQuestion:
    """That which all ask to whom a trigger is only another name of the same model."""
    if task.detector not in _NAMES_ONLY or task.model is None:
        return SameQuestion(task, None)
    named = task.model.trigger_id
    asked = msgspec.structs.replace(
        task, options=_renamed(task.options, named), model=msgspec.structs.replace(task.model, trigger_id=_ANY)
    )
    return SameQuestion(asked, named)


def _renamed(options: dict[str, Any], model: TriggerId) -> dict[str, Any]:
    """The same, where only the current model's stretch is told, if what is expected of it is asked."""
    if "trainings" not in options:
        return options
    own = [] if options["expected_of"] == model else [one for one in options["trainings"] if one[0] == model]
    return {**options, "trainings": [[_ANY, *stretch] for _, *stretch in own[:1]], "expected_of": None}

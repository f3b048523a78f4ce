"""Whether a model has room for the classes that all labels are of: what workers check, where there are none to ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.class_names import told
from shared.config.pipeline import Pipeline
from shared.config.system import Dataset
from shared.dataset.survey.column import MOST_TEXTS
from shared.dataset.survey.understood import Label
from shared.plugins import METRICS


def label_problems(pipeline: Pipeline, dataset: Dataset, label: Label) -> Iterator[str]:
    """Sentences for people, at most one; none where numbers are learned, or the model does not say its classes."""
    declared = pipeline.model.config.get("num_classes")
    if type(declared) is not int or METRICS[pipeline.evaluation.metrics[0].name].task == "regression":
        return
    room, name = max(declared, 2), f"dataset {dataset.name}: the labels in {label.name}"
    texts = None if label.classes is None else [one.label for one in label.classes if isinstance(one.label, str)]
    if texts is None and label.mean is None:
        yield f"{name} are of more than {MOST_TEXTS:,} classes, but the model tells {room} apart. {_remedy(None)}"
    elif texts:
        yield from _of_texts(name, sorted(texts), dataset.classes, room)
    elif label.maximum is not None:
        yield from _of_numbers(name, label, room if dataset.classes is None else min(len(dataset.classes), room))


def _of_texts(name: str, texts: Sequence[str], listed: Sequence[str] | None, room: int) -> Iterator[str]:
    unknown = [text for text in texts if listed is not None and text not in listed]
    if unknown:
        yield f"{name} include {told(unknown)}, which `classes` does not name. Name it there, or mend the rows."
    elif listed is None and len(texts) > room:
        many = f"{name} are of {len(texts):,} classes, {told(texts)}, but the model tells {room} apart."
        yield f"{many} {_remedy(len(texts))}"


def _of_numbers(name: str, label: Label, room: int) -> Iterator[str]:
    largest, smallest = label.maximum, label.minimum
    if label.classes is None and label.distinct is not None:
        yield f"{name} are not all whole numbers, as numbers of classes are. Choose a loss such as MSELoss."
    elif isinstance(smallest, int | float) and smallest < 0:
        yield f"{name} begin at {smallest:g}, but classes are numbered from 0 on. Number them so, or mend the rows."
    elif isinstance(largest, int | float) and largest >= room:
        knows = f"but the model knows the classes 0 to {room - 1}"
        yield f"{name} go up to {largest:g}, {knows}. {_remedy(int(largest) + 1)}"


def _remedy(classes: int | None) -> str:
    raised = "" if classes is None else f"Set num_classes to {classes}, name"
    return f"{raised or 'Name'} another `label:`, or mend the rows."

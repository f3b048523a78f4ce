"""The models that exist, and how any model is made from `model:` of pipeline.yaml."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from torch import nn

from shared.config.pipeline import Model
from shared.messages.reports import Finding
from workers.construction import FindingsError, Part, make, near_miss, wrong_arguments
from workers.features.inputs import InputKind, InputSpec
from workers.models.resnet import ResNet18, ResNet50
from workers.models.small_cnn import SmallCnn
from workers.models.tabular import Logistic, Mlp
from workers.models.text_bag import TextBag


class BuiltIn(msgspec.Struct, frozen=True, kw_only=True):
    """A model that comes with the product, and the inputs it makes sense of."""

    factory: type[nn.Module]
    reads: tuple[InputKind, ...]


MODELS: dict[str, BuiltIn] = {
    "logistic": BuiltIn(factory=Logistic, reads=("table", "image")),
    "mlp": BuiltIn(factory=Mlp, reads=("table", "image")),
    "small_cnn": BuiltIn(factory=SmallCnn, reads=("image",)),
    "resnet18": BuiltIn(factory=ResNet18, reads=("image",)),
    "resnet50": BuiltIn(factory=ResNet50, reads=("image",)),
    "text_bag": BuiltIn(factory=TextBag, reads=("text",)),
}


def build_model(model: Model, inputs: InputSpec, trusted_modules: Sequence[str]) -> nn.Module:
    """A freshly initialised model for these inputs, from torch's current random state.

    A constructor gets `model.config`, and `in_features` (int) or `input_shape` (tuple) if it declares them.
    Raises FindingsError for an unknown model, inputs it cannot read and wrong arguments.
    """
    part = model_part(model, trusted_modules)
    if model.id in MODELS and inputs.kind not in MODELS[model.id].reads:
        readers = ", ".join(name for name, built_in in MODELS.items() if inputs.kind in built_in.reads)
        sentence = f"{model.id} cannot read the dataset's {inputs.kind} features; {readers} can."
        raise FindingsError(Finding(path="model.id", sentence=sentence))
    made = make(part, **_supplied(part, inputs))
    if not isinstance(made, nn.Module):
        sentence = f"{model.id} made a {type(made).__name__}, not a torch.nn.Module; name a class that is one."
        raise FindingsError(Finding(path="model.id", sentence=sentence))
    return made


def model_findings(model: Model, trusted_modules: Sequence[str]) -> list[Finding]:
    """What is wrong with the model's name and the names of its arguments, without making it."""
    try:
        part = model_part(model, trusted_modules)
    except FindingsError as error:
        return list(error.findings)
    return wrong_arguments(part, _OURS)


def model_part(model: Model, trusted_modules: Sequence[str]) -> Part:
    """The class or function behind `model.id`. Raises FindingsError if there is none, or none that is trusted."""
    if model.id in MODELS:
        factory: Callable[..., Any] = MODELS[model.id].factory
    elif ":" in model.id:
        factory = _imported(model.id, trusted_modules)
    else:
        known = f"There are {', '.join(MODELS)}, or package.module:Class of a trusted module."
        guess = near_miss(model.id, MODELS) or "."
        raise FindingsError(Finding(path="model.id", sentence=f"there is no model {model.id}{guess} {known}"))
    return Part(name=model.id, path="model.config", factory=factory, config=model.config)


_OURS = ("in_features", "input_shape")


def _supplied(part: Part, inputs: InputSpec) -> dict[str, object]:
    declared = inspect.signature(part.factory).parameters
    ours = dict(zip(_OURS, (inputs.width, inputs.shape), strict=True))
    return {name: value for name, value in ours.items() if name in declared}


def _imported(model_id: str, trusted_modules: Sequence[str]) -> Callable[..., Any]:
    module_name, _, name = model_id.partition(":")
    if not any(module_name == trusted or module_name.startswith(f"{trusted}.") for trusted in trusted_modules):
        listed = ", ".join(trusted_modules) or "nothing"
        place = "to it in config.yaml, or where load_model is called"
        sentence = f"{model_id} is not trusted: trusted_modules holds {listed}; add {module_name} {place}."
        raise FindingsError(Finding(path="model.id", sentence=sentence))
    try:
        module = importlib.import_module(module_name)
        found = getattr(module, name, None)
    except (Exception, SystemExit) as error:  # importing runs the user's code
        sentence = f"{model_id} cannot be imported: {type(error).__name__}: {error}. {_remedy(error)}"
        raise FindingsError(Finding(path="model.id", sentence=sentence)) from error
    if not callable(found):
        classes = [one for one, value in vars(module).items() if inspect.isclass(value)]
        guess = near_miss(name, classes) or "."
        raise FindingsError(Finding(path="model.id", sentence=f"{module_name} has no class or function {name}{guess}"))
    return found  # type: ignore[no-any-return]


def _remedy(error: BaseException) -> str:
    """What helps where a module is not to be had."""
    if isinstance(error, ModuleNotFoundError):
        return (
            f"Have Python find {error.name} wherever models are made: install it, name its folder in PYTHONPATH or, "
            "for workers, put it beside config.yaml."
        )
    return "Mend it."

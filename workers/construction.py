"""Making an object from a class and the arguments in the YAML file; each wrong argument becomes a finding."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from shared.errors import ConfigurationError
from shared.messages.reports import Finding
from shared.words import meant

Made = TypeVar("Made")

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class FindingsError(ConfigurationError):
    """Something cannot be made as the file says; `findings` holds every reason."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        super().__init__(*(f"{finding.path}: {finding.sentence}" for finding in findings))


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be made: what the file calls it, where the file says so, and with which arguments."""

    name: str  # such as Adam
    path: str  # the key its arguments stand under, such as training.optimizer.config
    factory: Callable[..., Any]
    config: Mapping[str, Any]


def near_miss(word: str, known: Iterable[str]) -> str:
    """`; did you mean lr?` where a known word is close, else nothing."""
    by_lower_case = {name.lower(): name for name in known}
    near = meant(word.lower(), by_lower_case)
    return f"; did you mean {by_lower_case[near]}?" if near else ""


def accepted_arguments(part: Part, supplied: Iterable[str] = ()) -> tuple[list[str], bool]:
    """The arguments that the file may give, in order, and whether any other is taken as well (`**kwargs`).

    Raises FindingsError if the factory does not say.
    """
    parameters = _parameters(part).values()
    names = [parameter.name for parameter in parameters if parameter.kind in _NAMED and parameter.name not in supplied]
    return names, any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)


def wrong_arguments(part: Part, supplied: Iterable[str] = ()) -> list[Finding]:
    """Findings for arguments that do not exist, that are not the file's to give, and that are missing."""
    supplied = tuple(supplied)
    try:
        accepted, open_ended = accepted_arguments(part, supplied)
    except FindingsError as error:
        return list(error.findings)
    unknown = [] if open_ended else [name for name in part.config if name not in accepted]
    findings = [_unknown_argument(part, name, accepted, supplied) for name in unknown]
    return findings + [_missing_argument(part, name, accepted) for name in _required(part, accepted) - {*part.config}]


def make(part: Part, *positional: object, **supplied: object) -> Any:
    """Call the factory with what we supply and what the file says.

    Raises FindingsError with every wrong argument, or with what the constructor itself objects to.
    """
    names = [*_parameters(part)][: len(positional)] + [*supplied]
    if findings := wrong_arguments(part, names):
        raise FindingsError(*findings)
    try:
        return part.factory(*positional, **supplied, **part.config)
    except Exception as error:  # user code and torch raise anything here
        raise FindingsError(_objection(part, error, accepted_arguments(part, names)[0])) from error


def _parameters(part: Part) -> Mapping[str, inspect.Parameter]:
    """Those of the factory. Raises FindingsError for one without a signature, as some that are written in C."""
    try:
        return inspect.signature(part.factory).parameters
    except (TypeError, ValueError) as error:
        sentence = f"{part.name} does not say which arguments it takes ({error}); name a function that makes it."
        raise FindingsError(Finding(path=part.path, sentence=sentence)) from error


def _required(part: Part, accepted: list[str]) -> set[str]:
    parameters = _parameters(part)
    return {name for name in accepted if parameters[name].default is inspect.Parameter.empty}


def _unknown_argument(part: Part, name: str, accepted: list[str], supplied: tuple[str, ...]) -> Finding:
    if name in supplied:
        sentence = f"{name} of {part.name} comes from the dataset or the training, not from the file; leave it out."
    else:
        guess = near_miss(name, accepted) or "."
        sentence = f"{name} = {part.config[name]!r} is not an argument of {part.name}{guess}"
        sentence += f" It accepts: {_listed(accepted)}."
    return Finding(path=f"{part.path}.{name}", sentence=sentence)


def _missing_argument(part: Part, name: str, accepted: list[str]) -> Finding:
    sentence = f"{part.name} needs the argument {name}, which is missing. It accepts: {_listed(accepted)}."
    return Finding(path=f"{part.path}.{name}", sentence=sentence)


def _objection(part: Part, error: Exception, accepted: list[str]) -> Finding:
    """What a constructor raised, at the one argument it speaks of, if that can be told."""
    message = str(error) or type(error).__name__
    texts = [name for name, value in part.config.items() if _is_number_as_text(value)]
    named = [name for name in part.config if re.search(rf"\b{re.escape(name)}\b", message)]
    spoken_of = texts or named or [name for name, value in part.config.items() if repr(value) in message]
    path = f"{part.path}.{spoken_of[0]}" if len(spoken_of) == 1 else part.path
    values = ", ".join(f"{name} = {value!r}" for name, value in part.config.items()) or "no arguments"
    hint = " A number in quotes, or one such as 1e-3, is text in YAML; write 0.001." if texts else ""
    return Finding(
        path=path,
        sentence=f"{part.name} does not take {values}: {message.rstrip('.')}.{hint} It accepts: {_listed(accepted)}.",
    )


def _is_number_as_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "no arguments"

"""`trigger`: have the supervisor of a run directory trigger now."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import msgspec
from rich.console import Console

from shared.command import COMMAND
from shared.errors import ConfigurationError, NotReadyError
from shared.printable import printable
from shared.timestamps import format_timestamp
from supervisor.core.events import Declined
from supervisor.core.seen import Fired
from supervisor.run.by_hand import Asking
from supervisor.run.directory import RunDirectory

_LOOK_EVERY_S = 0.1
_LONGEST_S = 60.0  # a supervisor turns once a second, unless it looks through a large folder, or reads rows again
_LONGEST_WHY = 400


def run(arguments: argparse.Namespace) -> int:
    """Ask, and say what became of it: 0 also if there is nothing to train on that the last trigger has not.

    Raises ConfigurationError if there is no run or no reason, NotReadyError where no trigger can come of it.
    """
    directory, why = RunDirectory(arguments.run_dir.resolve()), _reason(arguments.why)
    try:
        if not directory.holds_a_run:
            raise ConfigurationError(f"{directory.path} holds no run; `{COMMAND} runs CONFIG` lists them.")
        _refuse_alone(directory)
        asking = Asking(directory.path, directory.journal_path, why)
        answer = _await(asking, directory)
    except (OSError, msgspec.MsgspecError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(f"{directory.path}: cannot be asked: {told}; check path and user.") from None
    content = _content(answer)
    if arguments.json:
        Console().print_json(json.dumps(content))
    else:
        Console().print(content["sentence"], soft_wrap=True, markup=False, highlight=False)
    return NotReadyError.exit_code if isinstance(answer, Declined) and answer.refused else 0


def _reason(given: str) -> str:
    """In one line. Raises ConfigurationError for none."""
    why = " ".join(given.split())
    if not 0 < len(why) <= _LONGEST_WHY:
        raise ConfigurationError(
            f"say in up to {_LONGEST_WHY} characters why, for who reads it later: "
            f'{COMMAND} trigger RUN_DIR "labels were mended".'
        )
    return printable(why)


def _refuse_alone(directory: RunDirectory) -> None:
    """Raise NotReadyError if nobody works on the run. Who does on another machine sees the request, too."""
    if directory.lock.holder() is None:
        raise NotReadyError(
            f"no supervisor is working on {directory.path}, so nobody can trigger; go on with it with --resume first."
        )


def _await(asking: Asking, directory: RunDirectory) -> Fired | Declined:
    """The answer. A request that nobody takes up is withdrawn. Raises NotReadyError if none comes, OSError."""
    give_up_s = time.monotonic() + _LONGEST_S
    try:
        while time.monotonic() < give_up_s:
            if (answer := asking.answer()) is not None:
                return answer
            if directory.lock.holder() is None:
                break
            time.sleep(_LOOK_EVERY_S)
    except KeyboardInterrupt:
        give_up_s = 0.0
    withdrawn = asking.withdraw()
    if (answer := asking.answer()) is not None:
        return answer
    ended = directory.lock.holder() is None
    who = f"the supervisor of {directory.path} " + ("ended before it answered" if ended else "has not answered")
    kept = "it has taken the request up, and answers it when it goes on: see its journal"
    raise NotReadyError(f"{who}; " + ("the request is withdrawn." if withdrawn else f"{kept}."))


def _content(answer: Fired | Declined) -> dict[str, Any]:
    """What --json prints."""
    if isinstance(answer, Declined):
        return {"trigger": None, "key": None, "timestamp": None, "sentence": f"No trigger: {answer.sentence}."}
    sentence = f"Trigger {answer.id} at key {answer.key:,}: {answer.reason}."
    timestamp = format_timestamp(answer.timestamp_us)
    return {"trigger": answer.id, "key": answer.key, "timestamp": timestamp, "sentence": sentence}

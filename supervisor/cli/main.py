"""The command line: which command is meant, and how every error is shown. Heavy imports wait for their command."""

from __future__ import annotations

import argparse
import errno
import importlib
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from shared.config.secrets import hide
from shared.errors import ConfigurationError, ModynError
from shared.words import meant
from supervisor.cli.parser import COMMANDS, parser
from supervisor.cli.streams import outlive_readers


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with its code, which is that of the command also where nobody reads what it says."""
    outlive_readers()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and not given[0].startswith("-") and given[0] not in COMMANDS:
        _refuse_misspelt_command(given[0])
        given.insert(0, "run")
    options = parser().parse_args(given)
    if options.command is None:
        parser().print_help()
        sys.exit(ConfigurationError.exit_code)
    sys.exit(_run(options))


def _refuse_misspelt_command(word: str) -> None:
    """A first word that is neither a file nor a command, but nearly one."""
    near = meant(word, COMMANDS)
    if near and not Path(word).exists():
        print(f"error: there is no command {word}, and no such file; did you mean {near}?", file=sys.stderr)  # noqa: T201
        sys.exit(ConfigurationError.exit_code)


def _run(options: argparse.Namespace) -> int:
    try:
        command = importlib.import_module(f"supervisor.cli.{options.command}")
        if options.command != "run":  # which remembers who asked it to stop
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        code: int = command.run(options)
        return code
    except ModynError as error:
        if options.debug:
            traceback.print_exc()
        for sentence in error.problems:
            print(f"error: {hide(sentence)}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)  # noqa: T201
        return 1
    except Exception as error:  # whatever it is, people get a sentence
        if options.debug:
            traceback.print_exc()
        print(f"error: {hide(_unforeseen(error))}", file=sys.stderr)  # noqa: T201
        return ModynError.exit_code


def _unforeseen(error: Exception) -> str:
    """What ended a command, and what to do."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):  # most often below standard output
        return f"{error}: what this command writes finds no room. Make some, then run it again."
    return f"this should not happen: {type(error).__name__}: {error}. Run it again with --debug and report it."

"""`python -m supervisor`, which ./modyn-supervisor runs. Who stops it while it loads is answered at once."""

import os
import signal


def start() -> None:
    """Load the command line, and run what was typed."""
    for number in (signal.SIGINT, signal.SIGTERM):  # until the command has its own answer
        signal.signal(number, _stop)

    from supervisor.cli.main import main  # noqa: PLC0415 - takes its time

    main()


def _stop(_number: int, _frame: object) -> None:
    os.write(2, b"Stopped before anything began; nothing was changed.\n")
    os._exit(0)


if __name__ == "__main__":
    start()

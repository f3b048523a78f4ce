"""What people type to start us, as sentences say it: the launcher of a checkout, or the command that pip installed."""

import sys
from pathlib import Path

_INSTALLED = "modyn-supervisor"
COMMAND = _INSTALLED if Path(sys.argv[0]).name == _INSTALLED else f"./{_INSTALLED}"

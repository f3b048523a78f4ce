"""How matplotlib draws while we have it draw: by its own settings, whatever a matplotlibrc says, and ours."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib

_OURS = {
    "font.size": 9,
    "legend.fontsize": 8.5,
    "legend.title_fontsize": 8.5,
    "svg.fonttype": "none",  # text stays text: it can be searched, edited and read aloud
    "svg.hashsalt": "modyn",  # what is named by chance has the same name each time
    "text.parse_math": False,  # nobody's words are mathematics
}


@contextmanager
def settings() -> Iterator[None]:
    """For as long as something is drawn. A letter that the font lacks is a box in a PNG, and no warning."""
    own: Any = {name: value for name, value in matplotlib.rcParamsDefault.items() if "backend" not in name}
    with matplotlib.rc_context(own | _OURS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        yield

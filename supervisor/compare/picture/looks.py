"""How each run's line looks: colours that the colour-blind tell apart, and never colour alone."""

from __future__ import annotations

from typing import NamedTuple

# Okabe and Ito (2008), without the yellow, which is too light for a line on white. The last two are greyish to eyes
# that tell red from green badly: they come where their dashes set them apart from the grey.
_COLOURS = ("#0072B2", "#D55E00", "#000000", "#E69F00", "#56B4E9", "#009E73", "#CC79A7")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_GREY = "#C4C4C4"
_DASHES = (0.0, (4.0, 1.5))
_SEEN = 1.8  # points
_BEST_OF_MANY = 5
_WORST_OF_MANY = 2


class Look(NamedTuple):
    """Of a line; widths in points."""

    colour: str
    marker: str
    width: float = 1.6
    dashes: str | tuple[float, tuple[float, ...]] = "-"
    mark: float = 4.5
    muted: bool = False

    def beneath(self, lines: int) -> Look:
        """The look beneath so many lines that pass through the same points: it is seen to either side of them."""
        wider = _SEEN * lines if not self.muted else 0.0
        return self._replace(width=self.width + wider, mark=self.mark + 1.4 * wider)


_MUTED = Look(_GREY, "", 0.8, muted=True)


def are_many(lines: int) -> bool:
    """Whether there are more lines than colours: nobody could follow each of them, whatever they look like."""
    return lines > len(_COLOURS)


def looks(lines: int, without: int) -> list[Look]:
    """The look of each run, best first, and last of those that have no score, which are no lines.

    Of many lines the best and the worst stand out, and the others show where all lie.
    """
    stand_out = [Look(colour, marker) for colour, marker in zip(_COLOURS, _MARKERS, strict=True)]
    if not are_many(lines):
        return [*stand_out[:lines], *[_MUTED] * without]
    worst = [look._replace(dashes=_DASHES) for look in stand_out[-_WORST_OF_MANY:]]
    between = lines - _BEST_OF_MANY - _WORST_OF_MANY
    return [*stand_out[:_BEST_OF_MANY], *[_MUTED] * between, *worst, *[_MUTED] * without]

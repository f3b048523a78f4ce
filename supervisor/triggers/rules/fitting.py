"""Groups of keys in which one word, such as `policy`, decides which of the others may stand there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError

from shared.config import fields as f

REQUIRED = object()  # in the place of a default: the key must be given


class Fitting(f.Group):
    """The base. Keys that `fitting` does not name go with each word; what is not given and does not fit is None."""

    word: ClassVar[str]  # the key that decides
    fitting: ClassVar[Mapping[str, Mapping[str, Any]]]  # word → the keys that go with it, and their defaults

    @f.validates_schema
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        """Refuses what goes with other words only; fills in the defaults of what goes with this one."""
        word, keys = data[self.word], {key for fitting in self.fitting.values() for key in fitting}
        own = self.fitting[word]
        errors: dict[str, list[str]] = {}
        for key in sorted(keys):
            if key not in own and data[key] is not None:
                whose = [one for one, fitting in self.fitting.items() if key in fitting]
                told = f"goes with {self.word} {' or '.join(whose)}, not with {word}, which has "
                errors[key] = [f"{told}{', '.join(own) or 'no option'}; remove it."]
            elif own.get(key) is REQUIRED and data[key] is None:
                errors[key] = [f"is missing; {self.word} {word} needs it."]
        if errors:
            raise ValidationError(errors)
        data |= {key: default for key, default in own.items() if data[key] is None}
        self.check(data)

    def check(self, data: dict[str, Any]) -> None:
        """What else must hold of a whole group, by raising ValidationError; it may fill in more defaults."""

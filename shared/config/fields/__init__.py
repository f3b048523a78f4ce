"""marshmallow fields that say in a sentence what is wrong with a value and what would be right."""

from __future__ import annotations

from marshmallow import validates_schema

from shared.config.fields.groups import Arguments, Group, Sequence, Sub, keys_of
from shared.config.fields.numbers import Duration, Moment, Number, PositiveNumber, Whole
from shared.config.fields.sentence import Sentence, nearest, quoted
from shared.config.fields.tuned import Tuned
from shared.config.fields.words import Choice, Folder, Name, Only, Text, Truth

__all__ = [
    "Arguments", "Choice", "Duration", "Folder", "Group", "Moment", "Name", "Number", "Only", "PositiveNumber",
    "Sentence", "Sequence", "Sub", "Text", "Truth", "Tuned", "Whole", "keys_of", "nearest", "quoted",
    "validates_schema",
]  # fmt: skip

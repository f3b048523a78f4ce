"""What `expect:` may say: each expectation with numbers of one's own, and with how far the usual may be left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from shared.config import fields as f

USUAL = "usual"
COMPARISONS = ("rows", "nulls", "ranges", "constant", "categories", "labels", "relation")


class ShareOfRows(f.Number):
    """A share of rows, 0 to 1."""

    kind = "share, 0 to 1"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        share = super()._deserialize(value, attr, data, **kwargs)
        if not 0 <= share <= 1:
            raise ValidationError(f"{f.quoted(value)} is not a share; write a number from 0 to 1.")
        return share


class Span(f.Sentence):
    """`[least, most]`; null where there is no such bound, if one may be absent."""

    def __init__(self, item: f.Sentence, meaning: str, *, open_ended: bool = False, **options: Any) -> None:
        super().__init__(meaning, **options)
        self.item, self.open_ended = item, open_ended
        self.kind = "[least, most]"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, list) or len(value) != 2:
            hint = ", null for no bound" if self.open_ended else ""
            raise ValidationError(f"{f.quoted(value)} is not a pair of bounds; write [least, most]{hint}.")
        if value == [None, None]:
            raise ValidationError("[null, null] bounds nothing; give one, or remove the key.")
        least, most = (None if one is None and self.open_ended else self.item.deserialize(one) for one in value)
        if least is not None and most is not None and least > most:
            raise ValidationError(f"{f.quoted(value)} leaves nothing between; write the smaller number first.")
        return [least, most]


class ByName(f.Sentence):
    """`{NAME: value}`, for columns or classes."""

    def __init__(self, item: f.Sentence, meaning: str, **options: Any) -> None:
        super().__init__(meaning, load_default=dict, **options)
        self.item = item
        self.kind = f"{{NAME: {getattr(item, 'kind', 'value')}}}"

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError(f"{f.quoted(value)} is not a group of names; write {{NAME: value}}.")
        errors, found = {}, {}
        for name, one in value.items():
            try:
                found[_written(name)] = self.item.deserialize(one)
            except ValidationError as error:
                errors[name] = error.messages
        if errors:
            raise ValidationError(errors)
        return found


def _written(name: Any) -> str:
    """A class as data has it: YAML reads `yes:` and `1:` as a truth and a number."""
    return str(name).lower() if isinstance(name, bool) else str(name)


class Rows(f.Group):
    """`rows:`."""

    least = f.Whole("rows since the trigger before, at least", load_default=None)
    most = f.Whole("rows since the trigger before, at most", load_default=None)
    times = Span(
        f.PositiveNumber(""),
        "rows in the same event time, as multiples of the usual",
        load_default=lambda: [0.2, 5.0],
    )

    @f.validates_schema
    def _leaves_something_between(self, data: dict[str, Any], **_: Any) -> None:
        least, most = data["least"], data["most"]
        if least is not None and most is not None and least > most:
            raise ValidationError({"least": [f"{least} is more than most, {most}; write the smaller number here."]})


class Nulls(f.Group):
    """`nulls:`."""

    most = ShareOfRows("the largest share of nulls in any column", load_default=None)
    columns = ByName(ShareOfRows(""), "the same, of single columns")
    rise = ShareOfRows("by how much a column's share of nulls may be above the usual", load_default=0.1)


class Ranges(f.Group):
    """`ranges:`."""

    columns = ByName(Span(f.Number(""), "", open_ended=True), "between which numbers a column lies")
    outside = ShareOfRows("the largest share of rows beyond these bounds, or beyond the usual range", load_default=0.1)
    widen = f.Number(
        "how far the usual range reaches on either side: so many times its width, or its largest number",
        least=0,
        load_default=3.0,
    )
    shrink = ShareOfRows(
        "how small its numbers may be, as a part of the usual: below, their unit must be another", load_default=0.05
    )


class Categories(f.Group):
    """`categories:`."""

    columns = ByName(f.Sequence(f.Text("", may_be_empty=True), ""), "which texts a column has")
    new = ShareOfRows("the largest share of rows with others: not among these, or not usual", load_default=0.2)


class Labels(f.Group):
    """`labels:`."""

    shares = ByName(Span(ShareOfRows(""), ""), "between which shares a class lies")
    moved = ShareOfRows("by how much the share of a class may differ from the usual", load_default=0.3)
    relation = ShareOfRows("how much must be left of what features usually tell of the label", load_default=0.1)


class Score(f.Group):
    """`score:`."""

    drop = f.PositiveNumber("by how much the current model's first metric may be worse than usual", required=True)


class Expectations(f.Group):
    """`expect:`."""

    on_violation = f.Choice(
        "what is done with rows that are not as expected: set aside until a trigger by hand, set aside for ever, or "
        "trained on and told",
        "hold",
        "skip",
        "alert",
        load_default="hold",
    )
    usual = f.Sequence(
        f.Choice("", *COMPARISONS),
        "what is compared with the usual",
        may_be_empty=True,
        load_default=lambda: list(COMPARISONS),
    )
    memory = f.Whole("the usual is what the rows of so many triggers before had", most=20, load_default=3)
    ignore = f.Sequence(
        f.Text(""), "columns that are not compared with the usual", may_be_empty=True, load_default=list
    )
    rows = f.Sub(Rows, "how many rows come", load_default=lambda: Rows().load({}))
    nulls = f.Sub(Nulls, "how many values are not there", load_default=lambda: Nulls().load({}))
    ranges = f.Sub(Ranges, "how large numbers are", load_default=lambda: Ranges().load({}))
    categories = f.Sub(Categories, "which texts come", load_default=lambda: Categories().load({}))
    labels = f.Sub(Labels, "how labels are shared out, and what they depend on", load_default=lambda: Labels().load({}))
    score = f.Sub(Score, "how well the current model does on the rows", load_default=None)


class Expect(f.Sub):
    """A group, or the word `usual` for all its defaults."""

    kind = "group, or usual"

    def __init__(self) -> None:
        super().__init__(Expectations, "what a trigger's rows must be to be trained on")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        if isinstance(value, str) and value != USUAL:
            raise ValidationError(f"{f.quoted(value)} is no expectation; write `usual`, or a group of keys.")
        return super()._deserialize({} if value == USUAL else value, attr, data, **kwargs)


def are_given(expectations: Mapping[str, Any]) -> bool:
    """Whether some can be judged where nothing is usual yet: those with numbers of one's own."""
    rows, nulls, labels = expectations["rows"], expectations["nulls"], expectations["labels"]
    bounds = (rows["least"], rows["most"], nulls["most"])
    named = (nulls["columns"], expectations["ranges"]["columns"], expectations["categories"]["columns"])
    return any(one is not None for one in bounds) or any(named) or bool(labels["shares"])

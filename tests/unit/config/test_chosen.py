"""What other packages bring is chosen and given options as what is ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from marshmallow import ValidationError
from packages import install

from shared.config.schema.chosen import Chosen
from shared.plugins import STRATEGIES, Plugins

CODE = """
from shared.config import fields as f
from shared.strategies.strategy import Strategy


class Fresh(Strategy):
    class Schema(f.Group):
        limit = f.Whole("rows", load_default=3)
        every_s = f.Duration("between two", load_default=1.0, data_key="every")


class Plain(Strategy):
    pass
"""

Choosing = Callable[..., Chosen]


@pytest.fixture
def choosing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Choosing:
    """A key for strategies, some of which are of a later version, where `coreset` is somebody else's already."""
    install(tmp_path, "chosen_elsewhere", STRATEGIES.group, {"coreset": "Fresh", "plain": "Plain"}, CODE)
    monkeypatch.syspath_prepend(str(tmp_path))

    def chosen(**options: tuple[str, ...]) -> Chosen:
        own = {"all_data": "shared.strategies.plain.all_data:AllData"}
        return Chosen(
            Plugins(STRATEGIES.group, STRATEGIES.base, own), "", key="name", example="{name: all_data}", **options
        )

    return chosen


def test_a_name_of_a_later_version_is_free_until_then(choosing: Choosing) -> None:
    """Whoever cannot wait for ours may bring one of that name."""
    field = choosing(later=("coreset", "rho_loss"))
    assert field.deserialize({"name": "coreset", "limit": 5})["options"]["limit"] == 5
    with pytest.raises(ValidationError, match="rho_loss is not available yet"):
        field.deserialize({"name": "rho_loss"})


def test_what_has_no_options_says_so(choosing: Choosing) -> None:
    """Of each that is given."""
    with pytest.raises(ValidationError) as caught:
        choosing().deserialize({"name": "plain", "tail": 500})
    assert caught.value.messages == {"tail": ["plain has no options; remove it."]}


@pytest.mark.parametrize(
    ("value", "written"), [("plain", "{name: plain}"), ("else", "{name: all_data}"), (["plain"], "{name: all_data}")]
)
def test_a_name_alone_is_told_where_it_stands(choosing: Choosing, value: object, written: str) -> None:
    """Whoever wrote a name that is there wants this one, not that of the example."""
    with pytest.raises(ValidationError, match=f"is not a group; write {written}"):
        choosing().deserialize(value)

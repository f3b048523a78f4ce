"""How settings that are swept are split, combined and named."""

from __future__ import annotations

import pytest

from shared.errors import ConfigurationError
from shared.folder_names import readable
from supervisor.sweep.combinations import Combination, combinations
from supervisor.sweep.values import split_values, swept


def named(*typed: str) -> list[str]:
    """The folders of a sweep's runs."""
    return [one.name for one in combinations([swept(one) for one in typed])]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("2000,6000", ["2000", "6000"]),
        (" 1d , 7d ", ["1d", "7d"]),
        ("[1, 2],[3]", ["[1, 2]", "[3]"]),
        ("{name: a, config: {k: [1, 2]}},{name: b}", ["{name: a, config: {k: [1, 2]}}", "{name: b}"]),
        ("'a, b',c", ["'a, b'", "c"]),
        ("'it''s, so',c", ["'it''s, so'", "c"]),
        ('"a \\", b",c', ['"a \\", b"', "c"]),
        ('{a: "]", b: 1},2', ['{a: "]", b: 1}', "2"]),
        ("it's,that's", ["it's", "that's"]),
        ("one", ["one"]),
    ],
)
def test_values_are_split_at_commas_outside_of_brackets_and_quotes(text: str, parts: list[str]) -> None:
    """Each part is YAML by itself; an apostrophe within a word is no quote."""
    assert split_values(text) == parts


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("a=[1,2", r"--set a=\[1,2: \] is missing"),
        ("a='x,y", "' is missing"),
        ("a=1,,2", "has an empty value"),
        ("a=", "has an empty value"),
        ("a", "is no setting"),
    ],
)
def test_what_cannot_be_split_is_refused(typed: str, told: str) -> None:
    """With what was typed."""
    with pytest.raises(ConfigurationError, match=told):
        swept(typed)


def test_each_combination_is_a_run() -> None:
    """The last key changes first; names tell what differs."""
    assert named("trigger.every=2000,6000", "strategy.name=new_data,all_data") == [
        "trigger.every=2000,strategy.name=new_data",
        "trigger.every=2000,strategy.name=all_data",
        "trigger.every=6000,strategy.name=new_data",
        "trigger.every=6000,strategy.name=all_data",
    ]


def test_names_are_folders_wherever_they_lie() -> None:
    """A slash, or what the URL of a file system would be split at, is written by its number; what reads well stays."""
    assert named("strategy={name: new_data, config: {tail: 1}}") == ["strategy={name: new_data, config: {tail: 1}}"]
    assert named("model.initial={pretrained: s3://a/b}") == ["model.initial={pretrained: s3:%2F%2Fa%2Fb}"]
    assert named("a=x::y") == ["a=x:%3Ay"]
    assert named("a=100%") == ["a=100%25"]
    assert named("a=b\nc") == ["a=b%0Ac"]


def test_names_of_folders_can_be_read() -> None:
    """By people, as the sweep was typed; each escape is read once, and none becomes what a terminal obeys."""
    assert readable("a=*?%2A,b=s3:%2F%2Fa%2Fb,c=100%25,d=%252A,e=b%0Ac") == "a=*?*,b=s3://a/b,c=100%,d=%2A,e=b%0Ac"


def test_long_names_are_cut_and_stay_apart() -> None:
    """A file system takes 255 bytes."""
    one, other = named(f"a={'ä' * 200}1,{'ä' * 200}2")
    assert one != other
    assert max(len(name.encode()) for name in (one, other)) <= 200
    assert one.startswith("a=ää")


def test_a_value_twice_is_refused_and_so_are_too_many() -> None:
    """Both are slips of the one who typed."""
    with pytest.raises(ConfigurationError, match="--set a: 1 stands there twice"):
        named("a=1,2,1")
    numbers = ",".join(map(str, range(40)))
    with pytest.raises(ConfigurationError, match="1,600 combinations, and a sweep has 1,000 at most"):
        named(f"a={numbers}", f"b={numbers}")
    with pytest.raises(ConfigurationError, match="--set a is given twice"):
        named("a=1", "a=2")


def test_a_combination_of_nothing_has_no_changes() -> None:
    """One run, as the file says."""
    assert combinations([]) == [Combination(())]

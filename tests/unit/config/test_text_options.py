"""How text files are written is said for a dataset, or refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from shared.config.load import load_system
from shared.errors import ConfigurationError


def written(folder: Path, **dataset: object) -> Path:
    """A config.yaml with one dataset."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"storage": {"datasets": {"rows": {"uri": "rows/", **dataset}}}}))
    return path


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "~", " "])
def test_a_delimiter_is_a_character(tmp_path: Path, delimiter: str) -> None:
    """Any but those that have a meaning in CSV."""
    assert load_system(written(tmp_path, delimiter=delimiter)).datasets["rows"].delimiter == delimiter


@pytest.mark.parametrize(("name", "meant"), [("latin-1", "iso8859-1"), ("UTF8", "utf-8"), ("cp1252", "cp1252")])
def test_an_encoding_is_known_by_its_names(tmp_path: Path, name: str, meant: str) -> None:
    """As Python knows it."""
    assert load_system(written(tmp_path, encoding=name)).datasets["rows"].encoding == meant


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"delimiter": ";;"}, "delimiter: ';;' is not one ASCII character such as \";\""),
        ({"delimiter": '"'}, "is not one ASCII character"),
        ({"delimiter": "–"}, "is not one ASCII character"),
        ({"delimiter": 1}, "delimiter: 1 is not one ASCII character"),
        ({"encoding": "klingon"}, "encoding: 'klingon' is no text encoding; write one such as latin-1"),
        ({"encoding": "base64"}, "is no text encoding"),
        ({"uri": "a.parquet", "delimiter": ";"}, "delimiter: is of text files, and uri names Parquet; remove it."),
        ({"uri": "*.Parquet", "encoding": "latin-1"}, "encoding: is of text files, and uri names Parquet; remove it."),
        ({"uri": "a.jsonl.gz", "delimiter": ";"}, "delimiter: is of CSV, and uri names JSON lines; remove it."),
    ],
)
def test_what_cannot_be_meant(tmp_path: Path, given: dict[str, object], told: str) -> None:
    """It is refused at its key, with what would be right."""
    with pytest.raises(ConfigurationError) as caught:
        load_system(written(tmp_path, **given))
    assert told in str(caught.value)

"""docs/configuration.md says what the schemas say."""

from __future__ import annotations

from pathlib import Path

from shared.config.reference import reference, rows_of
from shared.config.schema.pipeline import PipelineSchema
from shared.config.schema.system import SystemSchema
from shared.plugins import STRATEGIES, TRIGGERS

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_committed_page_is_the_generated_one() -> None:
    """Whoever changes a key changes the page: `python -m shared.config.reference > docs/configuration.md`."""
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_each_key_has_one_row_and_a_meaning() -> None:
    """No key is left without an explanation, and none stands there twice."""
    for schema in (PipelineSchema, SystemSchema):
        rows = list(rows_of(schema))
        assert len({row.path for row in rows}) == len(rows)
        assert [row.path for row in rows if not row.meaning] == []


def test_each_key_is_on_the_page() -> None:
    """Those of a list's entries, too, as a key that is not listed counts as an error."""
    page = reference()
    paths = [row.path for schema in (PipelineSchema, SystemSchema) for row in rows_of(schema)]
    assert [path for path in paths if f"| `{path}` |" not in page] == []


def test_keys_are_called_what_the_files_call_them() -> None:
    """The page shows the names of the files, not those of the code, down to the last level."""
    paths = {row.path for schema in (PipelineSchema, SystemSchema) for row in rows_of(schema)}
    assert {"model.initial", "lease", "evaluation.on[].window", "storage.datasets.NAME.image.shape"} <= paths
    assert not {"model.pretrained_uri", "lease_s"} & paths


def test_defaults_are_written_as_in_the_file() -> None:
    """A duration shows its unit, a metric its name, and a word that stands for nothing is that word."""
    defaults = {row.path: row.default for schema in (PipelineSchema, SystemSchema) for row in rows_of(schema)}
    assert defaults["lease"] == "`15s`"
    assert defaults["evaluation.metrics"] == "`[accuracy]`"
    assert defaults["model.initial"] == "`random`"
    assert defaults["training.optimizer"] == "`{name: Adam, config: {lr: 0.001}}`"
    assert defaults["data.dataset"] == "required"


def test_every_policy_and_strategy_is_on_the_page() -> None:
    """What can be chosen is explained."""
    page = reference()
    assert all(f"`trigger: {{policy: {name}}}`" in page for name in TRIGGERS.own)
    assert all(f"`strategy: {{name: {name}}}`" in page for name in STRATEGIES.own)


def test_bars_in_a_cell_do_not_split_the_table() -> None:
    """Every table line has exactly four cells."""
    lines = [line for line in reference().splitlines() if line.startswith("|")]
    assert {line.replace(r"\|", "").count("|") for line in lines} == {5}

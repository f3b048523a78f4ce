"""Which files a run's own models are made of, and which of them have changed."""

from __future__ import annotations

import hashlib
import sys

import pytest
from workplace import Workplace

from shared.config.load import load_configuration
from supervisor.system.user_code import changes, user_code


@pytest.fixture
def code(small: Workplace):
    """What is found when the files name these modules; `say` writes one beside them."""

    def found(*trusted: str, model: str = "logistic") -> dict[str, str]:
        small.config["trusted_modules"] = list(trusted)
        small.pipeline["model"]["id"] = model
        small.write()
        files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
        return user_code(load_configuration(*files, experiment_mode=True))

    return found


def say(small: Workplace, name: str, text: str = "raise SystemExit") -> str:
    """Write a file beside the configuration; its hash."""
    file = small.folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return hashlib.sha256(text.encode()).hexdigest()


def test_modules_are_found_where_workers_find_them_and_not_imported(small: Workplace, code) -> None:
    """A file, and a package with all that lies below it, also where only the model names it."""
    one, init = say(small, "one_model.py"), say(small, "nets/__init__.py", "")
    deep = say(small, "nets/deep.py", "raise SystemExit(2)")
    package = {"nets/__init__.py": init, "nets/deep.py": deep}
    assert code("one_model", "nets.deep") == {"one_model.py": one, **package}
    assert code("nets", model="nets.deep:Net") == package
    assert not {"one_model", "nets"} & sys.modules.keys()


def test_what_is_installed_or_not_there_is_no_code_of_the_user(code) -> None:
    """It has a version, or nobody knows it here."""
    assert code("numpy", "json", "nowhere_to_be_found", "sys") == {}


def test_changes_are_told_by_file() -> None:
    """Changed, gone and new ones; nothing where nothing is known of before."""
    assert changes(None, {"a.py": "1"}) is None
    assert changes({"a.py": "1"}, {"a.py": "1"}) is None
    told = changes({"a.py": "1", "b.py": "1", "c.py": "1"}, {"a.py": "1", "b.py": "2", "d.py": "1"})
    assert told is not None
    assert told.startswith("b.py, c.py, d.py have changed since the run was at work last")

"""Names that cross processes are in one place."""

from __future__ import annotations

import re

from workplace import PROJECT

_NAME = re.compile(r"""["'](modyn:|MODYN_(?!TEST_))""")
_HOUSE = ("shared", "supervisor", "workers", "benchmarks", "tests")


def test_names_of_redis_keys_and_variables_stand_in_one_module() -> None:
    """Who renames one there has renamed it everywhere: nobody else spells one out, benchmarks and tests neither."""
    files = [file for folder in _HOUSE for file in (PROJECT / folder).rglob("*.py")]
    spelt = {str(file.relative_to(PROJECT)) for file in files if _NAME.search(file.read_text())}
    assert spelt - {"tests/unit/shared/test_names.py"} == {"shared/names.py"}

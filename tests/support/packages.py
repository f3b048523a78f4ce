"""Packages of others, as pip leaves them: a module beside what it brings by entry point."""

from __future__ import annotations

from pathlib import Path


def install(folder: Path, package: str, group: str, entries: dict[str, str], code: str) -> None:
    """Put a package of one module there, whose entry points `{name: object in it}` are of one group."""
    (folder / f"{package}.py").write_text(code, encoding="utf-8")
    metadata = folder / f"{package}-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n", encoding="utf-8")
    lines = [f"{name} = {package}:{what}\n" for name, what in entries.items()]
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{''.join(lines)}", encoding="utf-8")

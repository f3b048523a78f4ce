"""Models that are asked for again are at hand, as many as there is room for."""

from __future__ import annotations

from shared.artifacts import ArtifactRef
from tests.unit.training.samples import job, run
from workers.inference import load_model_bytes
from workers.shelf import Shelf


def test_a_model_is_loaded_once_while_there_is_room(tmp_path):
    """The same bytes on the same device are one model; the one not asked for longest goes first."""
    body = run(job(tmp_path)).body
    loads = []

    def ask(shelf, name, device="cpu", trusted=()):
        def load():
            loads.append(name)
            return load_model_bytes(body)

        return shelf.take(ArtifactRef(name="m", sha256=name, size_bytes=40), device, trusted, load)

    shelf = Shelf(room_bytes=100)
    first = ask(shelf, "a")
    assert ask(shelf, "a") is first
    ask(shelf, "b")
    ask(shelf, "a")
    ask(shelf, "c")  # no room for three: b goes
    assert ask(shelf, "a") is first
    ask(shelf, "b")
    assert loads == ["a", "b", "c", "b"]
    assert ask(shelf, "b", trusted=("mine",)) is not None
    assert loads[-1] == "b"
    shelf.clear()
    assert ask(shelf, "a") is not first

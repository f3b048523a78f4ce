"""Objects are stored whole, checked when read, and committed once, on a disk or any other fsspec store."""

from __future__ import annotations

import hashlib
import uuid

import fsspec
import pytest

from shared.artifacts import ArtifactRef, ArtifactStore, committed, write_artifact
from shared.errors import ArtifactError, ArtifactLostError


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path):
    """An empty store."""
    return ArtifactStore(str(tmp_path / "store") if request.param == "local" else f"memory://{uuid.uuid4().hex}")


def names_in(folder):
    """What lies in a folder, hidden objects too."""
    filesystem, path = fsspec.core.url_to_fs(folder)
    return sorted(name.rsplit("/", 1)[-1] for name in filesystem.ls(path, detail=False))


@pytest.mark.parametrize("body", [b"", b"weights", bytes(range(256)) * 1000])
def test_what_was_written_is_read_back(store, body):
    """The reference has hash and size of the bytes, and leads back to them."""
    ref = store.write("models/0/m", body)
    assert (ref.sha256, ref.size_bytes) == (hashlib.sha256(body).hexdigest(), len(body))
    assert store.read(ref) == body


@pytest.mark.parametrize("body", [b"", b"weights", bytes(range(256)) * 10_000])
def test_a_file_goes_to_the_store_and_comes_back(store, tmp_path, body):
    """The reference is that of the same bytes written at once; nothing else is left there."""
    (tmp_path / "from").write_bytes(body)
    ref = store.write_file("sets/a", tmp_path / "from")
    assert ref == ArtifactRef(name="sets/a", sha256=hashlib.sha256(body).hexdigest(), size_bytes=len(body))
    store.read_file(ref, tmp_path / "to")
    assert (tmp_path / "to").read_bytes() == store.read(ref) == body
    assert names_in(f"{store.root}/sets") == ["a"]


@pytest.mark.parametrize(("damaged", "error"), [(b"weightr", ArtifactError), (b"weigh", ArtifactLostError)])
def test_a_file_is_checked_on_the_way(store, tmp_path, damaged, error):
    """Other bytes are refused as they are when all are read at once."""
    ref = store.write("a", b"weights")
    filesystem, path = fsspec.core.url_to_fs(store.uri(ref.name))
    filesystem.pipe_file(path, damaged)
    for read in (store.read, lambda ref: store.read_file(ref, tmp_path / "to")):
        with pytest.raises(ArtifactError, match=r"/a is not what was recorded") as caught:
            read(ref)
        assert type(caught.value) is error
    filesystem.rm_file(path)
    with pytest.raises(ArtifactLostError, match=r"/a is not there"):
        store.read_file(ref, tmp_path / "to")


def test_a_file_that_has_no_room_is_named(store, tmp_path):
    """Where the store is well, and what it is written to is not."""
    ref = store.write("a", b"weights")
    with pytest.raises(ArtifactError, match=r"none/to could not be written: .*Make room there"):
        store.read_file(ref, tmp_path / "none" / "to")


def test_writing_leaves_nothing_but_the_object(store):
    """No temporary file stays behind."""
    store.write("a", b"1")
    store.write("a", b"2")
    assert names_in(store.root) == ["a"]


def test_a_newer_object_takes_the_place_of_the_older(store):
    """The old reference no longer fits, the new one does."""
    old, new = (store.write("a", body) for body in (b"old", b"new"))
    assert store.read(new) == b"new"
    with pytest.raises(ArtifactError, match=r"/a is not what was recorded: 3 bytes"):
        store.read(old)


def test_one_changed_bit_is_noticed(store):
    """An object of the same size with other bytes is refused with its name and a remedy."""
    ref = store.write("a", b"weights")
    filesystem, path = fsspec.core.url_to_fs(store.uri(ref.name))
    filesystem.pipe_file(path, b"weightr")
    with pytest.raises(ArtifactError, match=r"/a is not what was recorded.*Restore it, or delete it"):
        store.read(ref)


def test_a_missing_object_is_named(store):
    """Who asks for what is not there is told its name and the remedy."""
    with pytest.raises(ArtifactError, match=r"/gone is not there.*Bring it back, then --resume"):
        store.read(ArtifactRef(name="gone", sha256="0", size_bytes=1))


def test_a_store_that_takes_nothing_is_named(tmp_path):
    """What cannot be written is an error with a remedy, not a traceback of the filesystem's."""
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(ArtifactError, match=r"file/a could not be written.*then --resume"):
        write_artifact(f"{tmp_path}/file/a", b"1")


def test_a_commit_gives_the_final_name(store):
    """After the commit the object is there under its final name only."""
    attempt = store.write(".a.1-worker", b"weights")
    final = store.commit(attempt, "a")
    assert store.read(final) == b"weights"
    assert names_in(store.root) == ["a"]


def test_a_commit_goes_where_the_state_expects_it(store):
    """`committed` foretells the reference that the commit gives."""
    attempt = store.write("sets/.3.1-worker", b"keys")
    expected = committed(attempt, "3.parquet")
    assert store.commit(attempt, "sets/3.parquet") == expected
    assert store.read(expected) == b"keys"


def test_committing_again_changes_nothing(store):
    """A command carried out a second time after a crash gives the same reference to the same bytes."""
    attempt = store.write(".a.1-worker", b"weights")
    first, second = (store.commit(attempt, "a") for _ in range(2))
    assert first == second
    assert store.read(second) == b"weights"
    assert names_in(store.root) == ["a"]


def test_a_commit_never_takes_a_stranger_for_its_own(store):
    """If the attempt is gone and another object has the final name, that is an error, and the object stays."""
    attempt = store.write(".a.1-worker", b"weights")
    filesystem, path = fsspec.core.url_to_fs(store.uri(attempt.name))
    filesystem.rm(path)
    stranger = store.write("a", b"stranger")
    with pytest.raises(ArtifactError, match="is not what was recorded"):
        store.commit(attempt, stranger.name)
    assert store.read(stranger) == b"stranger"


def test_a_commit_of_nothing_is_an_error(store):
    """Neither the attempt nor the final object is there."""
    nothing = ArtifactRef(name=".a.1-worker", sha256="0", size_bytes=1)
    with pytest.raises(ArtifactError, match=r"/a is not there"):
        store.commit(nothing, "a")


def test_a_name_leads_nowhere_out_of_the_store(store):
    """A run directory that was copied touches nothing but itself, whatever a report names."""
    for name in ("/tmp/a", "../other/a", "models/../../a"):
        with pytest.raises(ArtifactError, match="is no name of an object below"):
            store.read(ArtifactRef(name=name, sha256="0", size_bytes=1))


def test_a_folder_of_that_name_is_refused(store):
    """Nothing is moved into it: not what is committed, nor what is written."""
    attempt = store.write(".a.1-worker", b"weights")
    store.write("a/inside", b"somebody's")
    with pytest.raises(ArtifactError, match="could not be renamed to a: .* is a folder; move it away"):
        store.commit(attempt, "a")
    with pytest.raises(ArtifactError, match="could not be written: .* is a folder; move it away"):
        store.write("a", b"weights")
    assert names_in(f"{store.root}/a") == ["inside"]
    assert names_in(store.root) == [".a.1-worker", "a"]

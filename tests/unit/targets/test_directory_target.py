"""A target that several runs share: it holds a whole model, the last that was switched to, whatever dies on the way."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import shutil
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec
import pytest

from shared.errors import ArtifactError, ArtifactLostError, NotReadyError
from shared.ids import RunId, TriggerId
from shared.targets.directory import DirectoryTarget
from shared.targets.target import Candidate, Record
from tests.unit.deployment.elsewhere import SAID, Elsewhere


def candidate(trigger: int, run: str = "run", attempt: str = "1-a") -> Candidate:
    """A model of a run."""
    body = f"{run}/{trigger}/".encode() * 1000
    return Candidate(run=RunId(run), trigger=TriggerId(trigger), attempt=attempt, pipeline="p", model="mlp", body=body)


def put(folder: Path, trigger: int, run: str = "run", attempt: str = "1-a") -> Record | None:
    """Switch to a model against what is there now."""
    target = DirectoryTarget(folder)
    return target.switch(candidate(trigger, run, attempt), target.held(), "it is good")


def described(folder: Path) -> dict:
    """model.json."""
    return json.loads((folder / "model.json").read_text())


def read(folder: Path) -> tuple[int, bytes]:
    """The decision's number and the object, as a reader finds them; overtaken twice, it looks again."""
    while True:
        found = described(folder)
        try:
            body = (folder / found["object"]).read_bytes()
        except FileNotFoundError:
            continue
        assert (hashlib.sha256(body).hexdigest(), len(body)) == (found["sha256"], found["size_bytes"])
        return found["decision"], body


def versions(folder: Path) -> list[str]:
    """The objects that are kept."""
    return sorted(path.name for path in (folder / "versions").iterdir())


def test_what_is_deployed_is_described(tmp_path: Path) -> None:
    """model.json names object, hash, who decided it and why, and how to load it."""
    record = put(tmp_path / "new" / "folder", 4)
    found = described(tmp_path / "new" / "folder")
    assert read(tmp_path / "new" / "folder") == (1, candidate(4).body)
    assert (found["run"], found["trigger"], found["pipeline"], found["reason"]) == ("run", 4, "p", "it is good")
    assert found["load"].endswith(f"load_model('{tmp_path}/new/folder')")
    assert (found["model"], found["deployed_at"][-1]) == ("mlp", "Z")
    assert record == DirectoryTarget(tmp_path / "new" / "folder").held()


def test_names_of_classes_are_described(tmp_path: Path) -> None:
    """Where they have any; else nothing is said of them."""
    target = DirectoryTarget(tmp_path / "named")
    named = msgspec.structs.replace(candidate(4), classes=("no", "yes"))
    assert target.switch(named, None, "") == target.held()
    assert described(tmp_path / "named")["classes"] == ["no", "yes"]
    put(tmp_path / "unnamed", 4)
    assert "classes" not in described(tmp_path / "unnamed")


def test_a_place_that_can_be_filled_has_no_problem_and_no_trace_of_the_question(tmp_path: Path) -> None:
    """Absent, empty, or with a model in it: nothing is said, and nothing is left behind."""
    put(tmp_path / "held", 4)
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for place in ("new/folder", "empty", "held"):
        assert DirectoryTarget(tmp_path / place).problem() is None
    assert sorted(tmp_path.rglob("*")) == before


def test_a_place_that_can_never_be_filled_is_told_before_anything_is_put_there(tmp_path: Path) -> None:
    """A file or a dead link where a folder is needed, a folder of something else's: named, with a remedy."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "precious.txt").write_text("")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "versions").write_text("")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "model.json").write_text("{}")
    told = {
        place: DirectoryTarget(tmp_path / place).problem() or ""
        for place in ("file", "file/below", "link", "theirs", "odd", "other")
    }
    assert "file is a file, where a folder is needed; name another folder" in told["file"]
    assert "file is a file, where a folder is needed" in told["file/below"]
    assert "link is a link that leads nowhere, where a folder is needed" in told["link"]
    assert "theirs holds other files and no model.json; name an empty folder" in told["theirs"]
    assert "versions is a file, where a folder is needed" in told["odd"]
    assert "was not written by a deployment" in told["other"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_where_nobody_may_write(tmp_path: Path) -> None:
    """The folder that is there already, and forbids it, is named."""
    (tmp_path / "locked").mkdir(mode=0o500)
    told = DirectoryTarget(tmp_path / "locked" / "deployed").problem() or ""
    assert f"{tmp_path}/locked cannot be written in: Permission denied; mend the folder" in told


def test_runs_replace_each_others_models_and_the_log_tells(tmp_path: Path) -> None:
    """Decisions have one counter, whoever takes them; each says what it was judged against."""
    for number, run in enumerate(("a", "b", "a"), 1):
        record = put(tmp_path, number, run)
        assert record is not None
        assert (record.decision, record.replaced) == (number, number - 1 or None)
    assert [(one.run, one.trigger) for one in DirectoryTarget(tmp_path).since(1)] == [("a", 3), ("b", 2)]
    assert read(tmp_path)[0] == 3


def test_a_decision_against_what_is_there_no_more_changes_nothing(tmp_path: Path) -> None:
    """Another run switched while the candidate was judged: it must be judged anew."""
    target = DirectoryTarget(tmp_path)
    put(tmp_path, 1, "a")
    held = target.held()
    put(tmp_path, 7, "b")
    assert target.switch(candidate(2, "a"), held, "") is None
    assert read(tmp_path) == (2, candidate(7, "b").body)
    assert target.switch(candidate(2, "a"), target.held(), "") is not None
    assert read(tmp_path) == (3, candidate(2, "a").body)


def test_of_many_against_the_same_one_switches(tmp_path: Path) -> None:
    """Decisions that meet: one is the next, and knows it; the others leave nothing behind."""
    target = DirectoryTarget(tmp_path)
    for round_ in range(20):
        held = target.held()

        def switch(number: int, held: Record | None = held, round_: int = round_) -> Record | None:
            return target.switch(candidate(round_, f"r{number}"), held, "")

        with ThreadPoolExecutor(8) as pool:
            done = [one for one in pool.map(switch, range(8)) if one is not None]
        assert [one.decision for one in done] == [round_ + 1]
        assert read(tmp_path) == (round_ + 1, candidate(round_, done[0].run).body)
    assert len(versions(tmp_path)) == 2


def test_a_reader_always_finds_a_whole_model(tmp_path: Path) -> None:
    """During 100 switches each reading is a whole model, and models only get newer."""
    put(tmp_path, 1)
    done, seen = threading.Event(), []

    def look() -> None:
        while not done.is_set():
            number, body = read(tmp_path)
            assert body == candidate(number).body
            seen.append(number)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        for number in range(2, 101):
            assert put(tmp_path, number)
        done.set()
        looking.result(timeout=30)
    assert seen == sorted(seen)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_dies_or_stands_still_anywhere_holds_nobody_up(tmp_path: Path, number: int) -> None:
    """At each of its acts on disk: others switch at once, what they put there stays, and nothing old comes back."""
    for act in itertools.count(1):
        folder = tmp_path / str(act)
        before = put(folder, 1)
        switch = partial(DirectoryTarget(folder).switch, candidate(2, "other"), before, "it was judged before")
        with Elsewhere(folder, switch, act, number) as other:
            code = other.wait()
            if code == 0:  # it came to its end before that
                break
            assert read(folder)[0] in (1, 2)
            mine = put(folder, 3, "mine")
            assert mine is not None
            assert read(folder) == (mine.decision, candidate(3, "mine").body)
            if number == signal.SIGSTOP:
                assert other.go_on() == 0
        DirectoryTarget(folder).show()
        assert DirectoryTarget(folder).held() == mine
        assert read(folder) == (mine.decision, candidate(3, "mine").body)
    assert act > 20


@pytest.mark.parametrize("code", [errno.EIO, errno.EEXIST, errno.EROFS])
def test_a_disk_that_refuses_an_act_leaves_the_old_model_or_the_new_one(tmp_path: Path, code: int) -> None:
    """At each act on disk: what is told as done is there whole, all else is a sentence, and the next model follows."""
    for act in itertools.count(1):
        folder = tmp_path / str(act)
        before = put(folder, 1)
        switch = partial(switched, folder, candidate(2, "other"), before)
        with Elsewhere(folder, switch, act, signal.SIGSTOP, OSError(code, os.strerror(code))) as other:
            if other.wait() == 0:  # it came to its end before that
                break
            done = other.go_on()
        assert done in (0, SAID)
        target = DirectoryTarget(folder)
        target.show()
        held = target.held()
        assert held is not None
        assert done == SAID or held.trigger == 2
        assert read(folder) == (held.decision, target.body(held))
        assert put(folder, 3)
        assert read(folder)[1] == candidate(3).body
    assert act > 15


def test_a_record_whose_link_was_answered_with_an_error_is_known_as_ones_own(tmp_path: Path) -> None:
    """A file server made the link, the answer was lost, and the same request, sent again, finds that it exists."""
    for act in itertools.count(1):
        folder = tmp_path / str(act)
        before = put(folder, 1)
        with Elsewhere(folder, partial(switched, folder, candidate(2), before), act, signal.SIGSTOP) as other:
            assert other.wait() is None
            written = [one for one in (folder / "decisions").glob(".*.tmp") if one.stat().st_size]
            if written:
                os.link(written[0], folder / "decisions" / "00000002.json")
            code = other.go_on()
        assert code == 0
        assert read(folder) == (2, candidate(2).body)
        if written:
            break


@pytest.mark.parametrize("instead", ["nothing", "an empty folder", "all but versions"])
def test_a_target_that_is_moved_away_meanwhile_is_no_half_target(tmp_path: Path, instead: str) -> None:
    """At each act on disk: what is told as done stands under the target's name, all else is a sentence."""
    for act in itertools.count(1):
        folder = tmp_path / str(act)
        before = put(folder, 1)
        with Elsewhere(folder, partial(switched, folder, candidate(2), before), act, signal.SIGSTOP) as other:
            if other.wait() == 0:
                break
            replace(folder, instead)
            code = other.go_on()
        assert code in (0, SAID)
        target = DirectoryTarget(folder)
        target.show()
        if code == 0:
            assert read(folder)[1] == candidate(2).body
        else:
            assert not (instead == "nothing" and folder.exists() and (folder / "model.json").exists())
        assert target.switch(candidate(3), target.held(), "it passes")
        assert read(folder)[1] == candidate(3).body
    assert act > 15


def switched(folder: Path, model: Candidate, held: Record | None) -> None:
    """Switch, or say why not."""
    if DirectoryTarget(folder).switch(model, held, "it was judged before") is None:
        raise ArtifactError("it is to be judged anew; --resume does that, too")


def replace(folder: Path, instead: str) -> None:
    """Move a target away and put something in its place."""
    away = folder.with_name(f"{folder.name} away")
    folder.rename(away)
    if instead == "an empty folder":
        folder.mkdir()
    elif instead == "all but versions":
        shutil.copytree(away, folder, ignore=shutil.ignore_patterns("versions"))


def test_a_target_without_its_objects_takes_the_next_model(tmp_path: Path) -> None:
    """A copy without `versions/`: what it names is gone, which is told, and nothing else is in the way."""
    put(tmp_path, 1)
    put(tmp_path, 2)
    shutil.rmtree(tmp_path / "versions")
    target = DirectoryTarget(tmp_path)
    target.show()
    held = target.held()
    assert held is not None
    with pytest.raises(ArtifactLostError, match="cannot be read.* remove the target's folder"):
        target.body(held)
    assert put(tmp_path, 3)
    assert read(tmp_path) == (3, candidate(3).body)


def test_a_target_that_went_while_the_candidate_was_judged_is_judged_anew(tmp_path: Path) -> None:
    """What the candidate was judged against is held no more, so nothing is put there against it."""
    held = put(tmp_path / "target", 1)
    shutil.rmtree(tmp_path / "target")
    assert DirectoryTarget(tmp_path / "target").switch(candidate(2), held, "") is None
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("taken", ["versions", "decisions"])
def test_a_file_in_the_place_of_a_folder_is_said(tmp_path: Path, taken: str) -> None:
    """A target that cannot be written is told with the remedy at each try; mended, it takes the model."""
    (tmp_path / taken).write_text("")
    for _ in range(2):
        with pytest.raises(ArtifactError, match="cannot be written: .*mend the folder, then --resume"):
            put(tmp_path, 1)
    (tmp_path / taken).unlink()
    assert put(tmp_path, 1)
    assert read(tmp_path) == (1, candidate(1).body)


def test_a_record_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A folder where a record should be: a sentence for whoever looks through the log."""
    put(tmp_path, 1)
    put(tmp_path, 2)
    (tmp_path / "decisions" / "00000001.json").unlink()
    (tmp_path / "decisions" / "00000001.json").mkdir()
    with pytest.raises(ArtifactError, match="cannot be read: .*Is a directory.*--resume"):
        list(DirectoryTarget(tmp_path).since(0))


def test_a_stale_model_json_is_brought_up_to_date(tmp_path: Path) -> None:
    """A crash came between record and model.json, or a zombie wrote an old one: the records are what counts."""
    put(tmp_path, 1)
    old = (tmp_path / "model.json").read_bytes()
    put(tmp_path, 2)
    (tmp_path / "model.json").write_bytes(old)
    target = DirectoryTarget(tmp_path)
    held = target.held()
    assert held is not None
    assert held.decision == 2
    target.show()
    assert read(tmp_path) == (2, candidate(2).body)
    (tmp_path / "model.json").unlink()
    target.show()
    assert read(tmp_path) == (2, candidate(2).body)


def test_the_version_before_stays_for_its_readers(tmp_path: Path) -> None:
    """A reader of the previous model.json still finds its object; older versions go, what is not ours stays."""
    (tmp_path / "versions" / "notes").mkdir(parents=True)
    put(tmp_path, 1)
    opened = described(tmp_path)
    put(tmp_path, 2)
    assert (tmp_path / opened["object"]).read_bytes() == candidate(1).body
    put(tmp_path, 3)
    assert versions(tmp_path) == ["1-run-2-1-a", "2-run-3-1-a", "notes"]


def test_a_version_that_is_being_written_for_the_next_decision_is_left_alone(tmp_path: Path) -> None:
    """Only what can be named no more is swept up."""
    put(tmp_path, 1)
    (tmp_path / "versions" / "2-other-9-1-z").mkdir()
    put(tmp_path, 2)
    assert "2-other-9-1-z" in versions(tmp_path)
    put(tmp_path, 3)
    assert "2-other-9-1-z" not in versions(tmp_path)


def test_a_target_of_a_version_without_records_is_taken_over(tmp_path: Path) -> None:
    """What it holds is the model to beat, and the next decision is its first."""
    body = b"weights"
    (tmp_path / "versions" / "7-3-1-a").mkdir(parents=True)
    (tmp_path / "versions" / "7-3-1-a" / "model.safetensors").write_bytes(body)
    told = {
        "object": "versions/7-3-1-a/model.safetensors",
        "sha256": hashlib.sha256(body).hexdigest(),
        "size_bytes": len(body),
        "run": "old",
        "trigger": 3,
        "decision": {"run_started_us": 7, "number": 3, "run_id": "old"},
    }
    (tmp_path / "model.json").write_text(json.dumps(told))
    target = DirectoryTarget(tmp_path)
    held = target.held()
    assert held is not None
    assert (held.decision, held.run, held.trigger, target.body(held)) == (0, "old", 3, body)
    assert put(tmp_path, 1)
    assert read(tmp_path) == (1, candidate(1).body)


def test_a_damaged_object_is_told(tmp_path: Path) -> None:
    """Who wants to compare with it learns that it is not what was put there."""
    record = put(tmp_path, 1)
    assert record is not None
    (tmp_path / record.object).write_bytes(b"other")
    with pytest.raises(ArtifactLostError, match="is not what was put there"):
        DirectoryTarget(tmp_path).body(record)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    """A target that holds something else is refused with the remedy, and nothing is written."""
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(NotReadyError, match="holds other files and no model.json; name an empty folder"):
        put(tmp_path, 1)
    assert [path.name for path in tmp_path.rglob("*")] == ["thesis.tex"]


@pytest.mark.parametrize("text", ["{", "{}", '{"object": "model.safetensors", "sha256": "00"}'])
def test_a_foreign_model_json_is_left_alone(tmp_path: Path, text: str) -> None:
    """A model.json that no deployment wrote, as that of a run directory, is refused and kept."""
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(NotReadyError, match="was not written by a deployment"):
        put(tmp_path, 1)
    assert (tmp_path / "model.json").read_text() == text


def test_a_file_is_no_target(tmp_path: Path) -> None:
    """A file where the folder should be is refused with the remedy."""
    (tmp_path / "flights").write_text("mine")
    with pytest.raises(NotReadyError, match="is a file; name an empty folder"):
        put(tmp_path / "flights", 1)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """What the system refuses is told as a sentence with a remedy."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match="cannot be written: .*mend the folder"):
        put(tmp_path / "file" / "flights", 1)

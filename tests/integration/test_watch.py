"""What the watch over open tasks makes of what Redis knows, on a clock that the tests turn."""

from __future__ import annotations

from typing import Literal

import pytest
import redis
from immutables import Map
from tests_support import Workplace, worker_entry

from shared import names
from shared.artifacts import ArtifactRef
from shared.claims import Attempt, Claims
from shared.config.load import load_configuration
from shared.fleet import register
from shared.ids import RunId, TaskId, TriggerId, WorkerId, task_id
from shared.messages import MESSAGE_VERSION, GatherTask, TrainTask
from supervisor.core.commands import PublishChord
from supervisor.core.events import AnyEvent, LeaseExpired, Unclaimed
from supervisor.core.state import OpenTask, RunState, Settings
from supervisor.run.reports import Reports
from supervisor.run.watch import Watch
from supervisor.system.setup import setup_record, write_setup
from supervisor.system.versions import Versions

RUN = RunId("run")
LEASE_S = 10.0
TRAIN, GATHER = (task_id(RUN, TriggerId(0), kind, 0) for kind in ("train", "gather"))
WHO = {"run_id": RUN, "trigger_id": TriggerId(0), "setup_version": 1}


class Watched:
    """A run with a chord of one training, and the watch over it."""

    def __init__(self, small: Workplace, client: redis.Redis) -> None:
        small.config["lease"] = f"{LEASE_S:g}s"
        small.write()
        files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
        configuration = load_configuration(*files, experiment_mode=True)
        record = setup_record(configuration, RUN, 0, str(small.run_dir), str(small.folder / "runs"))
        write_setup(client, record)
        self.client, self.claims, self.now_s = client, Claims(client), 1000.0
        self.watch = Watch(client, self.claims, Reports(client, RUN, "0"), record, Versions(), lambda: self.now_s)
        ref = ArtifactRef(uri="x", sha256="y", size_bytes=1)
        train = TrainTask(**WHO, trigger_key=1, training_set=ref, previous_model=None, member=0)
        self.train, self.gather = train, GatherTask(**WHO)
        self.chord = PublishChord(headers=((TRAIN, train),), body_id=GATHER, body=self.gather)
        self.settings = Settings.of(configuration.pipeline)

    def state(self, tasks: dict[TaskId, OpenTask]) -> RunState:
        """The run with these tasks open."""
        return RunState(settings=self.settings, run_id=RUN, tasks=Map(tasks))

    def look_for(self, state: RunState, seconds: float) -> list[AnyEvent]:
        """Look every second, and gather what follows."""
        found: list[AnyEvent] = []
        for _ in range(round(seconds)):
            self.now_s += 1.0
            found += self.watch.look(state, ())
        return found


@pytest.fixture
def watched(small: Workplace, client: redis.Redis) -> Watched:
    """A run that has just begun."""
    return Watched(small, client)


def keep(client: redis.Redis, role: Literal["train", "evaluate"], *, busy: bool, torch: str = "2.13.0") -> None:
    """A worker of a role that is there, idle or busy with something else."""
    doing = {"state": "busy", "task": TaskId("other/0/evaluate/0")} if busy else {}
    versions = {"messages": str(MESSAGE_VERSION), "torch": torch}
    register(client, worker_entry(role, role, lease_s=600.0, versions=versions, **doing))


def test_a_body_that_was_never_sent_is_published_though_all_are_busy(watched: Watched, client: redis.Redis) -> None:
    """Its header has returned, its queue is empty: after a lease it is published; on the queue it may stay."""
    keep(client, "evaluate", busy=True)
    body = OpenTask(task=watched.gather, chord=watched.chord, results=Map({TRAIN: {}}))
    state = watched.state({GATHER: body})
    client.lpush("gather", "its message")
    assert watched.look_for(state, 3 * LEASE_S) == []
    client.delete("gather")
    assert watched.look_for(state, LEASE_S) == []
    (event,) = watched.look_for(state, 2)[:1]
    assert isinstance(event, Unclaimed)
    assert (event.task_id, event.attempt) == (GATHER, 1)


def test_a_body_that_waits_for_its_headers_is_not_missing(watched: Watched, client: redis.Redis) -> None:
    """It cannot have been sent yet."""
    keep(client, "evaluate", busy=False)
    state = watched.state({GATHER: OpenTask(task=watched.gather, chord=watched.chord)})
    assert watched.look_for(state, 3 * LEASE_S) == []


def test_a_header_that_waits_for_a_busy_worker_is_not_missing(watched: Watched, client: redis.Redis) -> None:
    """Only an idle worker could have taken it; then it is published again within seconds."""
    keep(client, "train", busy=True)
    state = watched.state({TRAIN: OpenTask(task=watched.train, chord=watched.chord)})
    assert watched.look_for(state, 3 * LEASE_S) == []
    keep(client, "train", busy=False)
    (event,) = watched.look_for(state, 9)[:1]
    assert isinstance(event, Unclaimed)


def test_a_claim_that_redis_forgot_with_its_newest_writes_is_judged_lost(watched: Watched, client: redis.Redis) -> None:
    """The journal knows who claimed it, Redis does not, and nobody renews: after two leases it is published again."""
    keep(client, "train", busy=True)
    mine = Attempt(run_id=RUN, task_id=TRAIN, number=1, worker=WorkerId("a"))
    state = watched.state({TRAIN: OpenTask(task=watched.train, chord=watched.chord, worker=mine.worker)})
    watched.claims.claim(mine, 600.0)
    assert watched.look_for(state, 4 * LEASE_S) == []
    client.delete(names.claim_key(TRAIN), names.leases_key(RUN))
    assert watched.look_for(state, LEASE_S - 1) == []
    watched.claims.renew(mine, 600.0)  # its worker is there after all
    assert watched.look_for(state, 3 * LEASE_S) == []
    client.delete(names.claim_key(TRAIN), names.leases_key(RUN))
    (event,) = watched.look_for(state, 2 * LEASE_S + 1)
    assert isinstance(event, LeaseExpired)
    assert (event.task_id, event.attempt) == (TRAIN, 1)


def test_a_worker_of_other_versions_is_named_wherever_it_comes_from(
    watched: Watched, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """Also one that was set up for the run before, and says nothing of itself any more; once."""
    keep(client, "evaluate", busy=True, torch="2.13.0")
    keep(client, "train", busy=True, torch="2.12.0")
    watched.look_for(watched.state({}), 3)
    (told,) = [one for one in caplog.messages if "differs from" in one]
    assert "worker train@host differs from evaluate@host: torch 2.12.0 instead of 2.13.0." in told

"""What the watch over open tasks makes of what Redis knows, on a clock that the tests turn."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import redis
from immutables import Map
from registry import worker_entry
from run_of_events import run_started
from workplace import Workplace

from shared import names
from shared.artifacts import ArtifactRef
from shared.claims import Attempt, ClaimAnswer, Claims, Renewal
from shared.config.load import load_configuration
from shared.fleet import register
from shared.ids import RunId, TaskId, TriggerId, WorkerId, task_id
from shared.messages.reports import Trained
from shared.messages.tasks import EvaluateTask, GatherTask, TrainTask
from shared.messages.version import MESSAGE_VERSION
from shared.names import Role
from supervisor.core.commands import PublishChord
from supervisor.core.events import AnyEvent, LeaseExpired, Unclaimed
from supervisor.core.open_tasks import OpenTask, OpenTasks
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.run.watch.reports import Reports
from supervisor.run.watch.watch import Watch
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
        record = setup_record(configuration, RUN, str(small.run_dir), str(small.folder / "runs"), serves=False)
        write_setup(client, record)
        self.client, self.claims, self.now_s, self.begun = client, Claims(client), 1000.0, False
        self.watch = Watch(client, self.claims, Reports(client, RUN, "0"), record, Versions(), lambda: self.now_s)
        ref = ArtifactRef(name="x", sha256="y", size_bytes=1)
        train = TrainTask(**WHO, trigger_key=1, training_set=ref, previous_model=None, member=0)
        self.train, self.gather = train, GatherTask(**WHO)
        self.chord = PublishChord(headers=((TRAIN, train),), body_id=GATHER, body=self.gather)
        self.settings = Settings.of(configuration.pipeline)

    def state(self, tasks: dict[TaskId, OpenTask]) -> RunState:
        """The run with these tasks open."""
        return RunState(settings=self.settings, started=run_started(RUN), tasks=OpenTasks.of(tasks))

    def look_for(self, state: RunState, seconds: float) -> list[AnyEvent]:
        """Look every second, and gather what follows."""
        found: list[AnyEvent] = []
        if not self.begun:
            self.watch.begin(state)
            self.begun = True
        for _ in range(round(seconds)):
            self.now_s += 1.0
            found += self.watch.look(state, ())
        return found


@pytest.fixture
def watched(small: Workplace, client: redis.Redis) -> Watched:
    """A run that has just begun."""
    return Watched(small, client)


def message_of(task: TaskId) -> str:
    """What Celery puts on a queue, as far as it tells whose it is."""
    return json.dumps({"body": "W10=", "headers": {"lang": "py", "id": task, "root_id": task}, "properties": {}})


def calls(client: redis.Redis) -> int:
    """How many commands Redis has carried out, but for those that ask this."""
    stats: dict[str, Any] = client.info("commandstats")
    return sum(one["calls"] for name, one in stats.items() if name not in ("cmdstat_info", "cmdstat_ping"))


def keep(client: redis.Redis, role: Role, *, busy: bool, torch: str = "2.13.0") -> None:
    """A worker of a role that is there, idle or busy with something else."""
    doing = {"state": "busy", "task": TaskId("other/0/evaluate/0")} if busy else {}
    versions = {"messages": str(MESSAGE_VERSION), "torch": torch}
    register(client, worker_entry(role, role, lease_s=600.0, versions=versions, **doing))


def test_a_body_that_was_never_sent_is_published_though_all_are_busy(watched: Watched, client: redis.Redis) -> None:
    """Its header has returned, its queue is empty: after a lease it is published; on the queue it may stay."""
    keep(client, "evaluate", busy=True)
    body = OpenTask(task=watched.gather, chord=watched.chord, results=Map({TRAIN: {}}))
    state = watched.state({GATHER: body})
    client.lpush(names.queue("gather"), message_of(GATHER))
    assert watched.look_for(state, 3 * LEASE_S) == []
    client.delete(names.queue("gather"))
    (event,) = watched.look_for(state, LEASE_S + 3)[:1]
    assert isinstance(event, Unclaimed)
    assert (event.task_id, event.attempt) == (GATHER, 1)


def test_a_body_that_waits_for_its_headers_is_not_missing(watched: Watched, client: redis.Redis) -> None:
    """It cannot have been sent yet."""
    keep(client, "evaluate", busy=False)
    state = watched.state({GATHER: OpenTask(task=watched.gather, chord=watched.chord)})
    assert watched.look_for(state, 3 * LEASE_S) == []


def test_a_header_that_waits_for_a_busy_worker_is_not_missing(watched: Watched, client: redis.Redis) -> None:
    """It stands in its queue, however long. Gone from there, with an idle worker, it is published again in seconds."""
    keep(client, "train", busy=True)
    client.lpush(names.queue("train"), message_of(TRAIN))
    state = watched.state({TRAIN: OpenTask(task=watched.train, chord=watched.chord)})
    assert watched.look_for(state, 3 * LEASE_S) == []
    keep(client, "train", busy=False)
    client.delete(names.queue("train"))
    (event,) = watched.look_for(state, 9)[:1]
    assert isinstance(event, Unclaimed)


def test_a_message_lost_behind_a_queue_that_is_never_empty(watched: Watched, client: redis.Redis) -> None:
    """Others use the fleet, too, and it is never idle: after a lease the queue is searched, and the task sent again."""
    keep(client, "train", busy=True)
    for number in range(600):
        client.lpush(names.queue("train"), message_of(task_id(RunId("other"), TriggerId(number), "train")))
    state = watched.state({TRAIN: OpenTask(task=watched.train, chord=watched.chord)})
    assert watched.look_for(state, LEASE_S - 1) == []
    (event,) = watched.look_for(state, 4)[:1]
    assert isinstance(event, Unclaimed)
    assert (event.task_id, event.attempt) == (TRAIN, 1)


def test_a_look_costs_the_same_however_many_tasks_wait(watched: Watched, client: redis.Redis) -> None:
    """Redis is asked as often with 2,000 open evaluations as with 20, and no list of all of them is made."""
    keep(client, "evaluate", busy=True)
    watched.look_for(watched.state({}), 3 * LEASE_S)  # Redis is told the scripts
    asked = []
    for count in (20, 2000):
        wanted: dict[str, Any] = {**WHO, "models": (), "stretches": ()}
        tasks = [EvaluateTask(**{**wanted, "trigger_id": TriggerId(number)}) for number in range(count)]
        open_tasks = {task_id(RUN, one.trigger_id, "score"): OpenTask(task=one) for one in tasks}
        client.delete(names.queue("evaluate"))
        client.lpush(names.queue("evaluate"), *map(message_of, open_tasks))
        state = watched.state(open_tasks)
        watched.watch.begin(state)
        before = calls(client)
        assert watched.look_for(state, 3 * LEASE_S) == []
        asked.append(calls(client) - before)
    assert asked[1] == asked[0]


def test_a_claim_of_an_older_attempt_does_not_hide_that_the_current_one_is_lost(
    watched: Watched, client: redis.Redis
) -> None:
    """Redis came back with attempt 1, whose worker even renews; attempt 2 was claimed, as is journaled, and died."""
    keep(client, "train", busy=True)
    old = Attempt(run_id=RUN, task_id=TRAIN, number=1, worker=WorkerId("a"))
    watched.claims.claim(old, 600.0)
    second = msgspec.structs.replace(watched.train, attempt=2)
    state = watched.state({TRAIN: OpenTask(task=second, chord=watched.chord, worker=WorkerId("b"))})
    (event,) = watched.look_for(state, 2 * LEASE_S + 1)[:1]
    assert isinstance(event, LeaseExpired)
    assert (event.task_id, event.attempt) == (TRAIN, 2)


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


def test_a_task_that_is_done_but_whose_report_nobody_heard_is_done_again(watched: Watched, client: redis.Redis) -> None:
    """Redis's clock went back, and the report stands before all that was heard: it is lost, and the task is not."""
    keep(client, "train", busy=True)
    mine = Attempt(run_id=RUN, task_id=TRAIN, number=1, worker=WorkerId("a"))
    watched.claims.claim(mine, 600.0)
    member = ArtifactRef(name="m", sha256="y", size_bytes=1)
    who: dict[str, Any] = {"task_id": TRAIN, "attempt": 1, "worker": mine.worker}
    done = Trained(**who, member=member, train_s=1.0, loss=0.5, device="cpu")
    watched.claims.report(mine, done, {})
    state = watched.state({TRAIN: OpenTask(task=watched.train, chord=watched.chord, worker=mine.worker)})
    (event,) = watched.look_for(state, 2 * LEASE_S + 1)[:1]
    assert isinstance(event, LeaseExpired)
    assert (event.task_id, event.attempt) == (TRAIN, 1)


def test_a_benched_worker_is_neither_alive_nor_idle(watched: Watched, client: redis.Redis) -> None:
    """The run waits for another, and is not told that a message is lost because one that takes nothing is idle."""
    keep(client, "evaluate", busy=False)
    benched = worker_entry(
        "t", lease_s=600.0, versions={"messages": str(MESSAGE_VERSION)}, state="benched", benched="ECC"
    )
    register(client, benched)
    state = watched.state({TRAIN: OpenTask(task=watched.train, chord=watched.chord)})
    assert watched.look_for(state, LEASE_S - 1) == []
    assert watched.watch.roles_without_workers == {"train"}
    assert watched.watch.benched == (benched,)


def test_a_redis_that_comes_back_as_in_an_earlier_session_is_set_right(watched: Watched, client: redis.Redis) -> None:
    """What was settled and recalled then holds no more: trigger 0 is made anew, and its tasks are not to be refused."""
    claims = watched.claims
    state = watched.state({TRAIN: OpenTask(task=watched.train, chord=watched.chord)})
    claims.settle(RUN, 1)
    claims.recall(RUN)
    watched.watch.broker_is_back()
    watched.look_for(state, 1)
    attempt = Attempt(run_id=RUN, task_id=TRAIN, number=1, worker=WorkerId("w"))
    assert claims.claim(attempt, LEASE_S)[0] is ClaimAnswer.OK
    assert claims.renew(attempt, LEASE_S) is Renewal.RENEWED

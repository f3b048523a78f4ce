"""The claim protocol, model-checked: two triggers' tasks under any order of deliveries, deaths, silences and wipes.

Real are Redis, the claims, Celery's messages and chords, and the supervisor's publisher, command queue, reports, watch
and transition. Imagined are the workers, as steps of workers/process/perform.py and ticks of their lease keepers, and
time: the supervisor's clock is ours, and leases in Redis are moved towards the past by as much as it goes forward.
"""

from __future__ import annotations

import base64
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec
import pytest
import redis
from celery import Celery
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as explore
from kombu.exceptions import OperationalError
from run_of_events import decision
from workplace import Workplace

from shared import names
from shared.artifacts import ArtifactRef
from shared.broker import make_app
from shared.claims import Attempt, ClaimAnswer, Claims
from shared.config.load import Configuration, load_configuration
from shared.fleet import WorkerEntry, register
from shared.ids import RunId, TaskId, TriggerId, WorkerId, parts_of, task_id
from shared.messages.reports import (
    Baselined,
    Claimed,
    Decided,
    Evaluated,
    Gathered,
    MetricValue,
    Released,
    Report,
    Selected,
    Trained,
    result_of,
)
from shared.messages.setup_record import SetupRecord
from shared.messages.tasks import task_of
from shared.messages.version import MESSAGE_VERSION
from supervisor.core.events import LeaseExpired, Observed, Reported, Resumed, RunStarted, Unclaimed
from supervisor.core.seen import Fired
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.core.trigger_state import Phase
from supervisor.run.act.command_queue import CommandQueue
from supervisor.run.broker import Broker
from supervisor.run.owner import Owner
from supervisor.run.publisher import Publisher
from supervisor.run.watch.reports import Reports
from supervisor.run.watch.watch import Watch
from supervisor.system.setup import write_setup
from supervisor.system.versions import Versions

RUN = RunId("run")
# So long that the time a test really takes is nothing beside it; what passes is a few seconds, or a multiple of a beat.
LEASE_S = 3000.0
BEAT_S = LEASE_S / 5
STAGES = ("select", "train", "evaluate")  # where what goes wrong begins to: at a single task, or one of two chords
TRIGGERS = 2
MEMBERS = 2  # of each training: a chord with two headers
BODIES = {"gather": [("train", 0), ("train", 1)], "decide": [("evaluate", 0)]}  # and their headers
ROLES = ("train", "evaluate")
FAULTS = (
    "Redis is wiped",
    "Redis comes back as it was",
    "Redis's clock goes back",
    "the broker is away",
    "the broker is away for long",
    "the next message is sent unanswered",
    "another supervisor takes over",
    "stands still",
    "dies",
    "answers lost",
    "hands back",
    "messages again",
)


def score(made: ArtifactRef) -> MetricValue:
    """A score that tells who made it."""
    facts: dict[str, Any] = {"value": 1.0, "n": 9, "first_timestamp_us": 0, "last_timestamp_us": 9, "error": None}
    return MetricValue(trigger_id=TriggerId(0), window="recent", slice="", metric=made.name, **facts)


class Clock:
    """The supervisor's time."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic_s(self) -> float:
        """What a clock says that never goes back."""
        return self.now_s


class Message:
    """A Celery message, taken off its queue."""

    def __init__(self, raw: str) -> None:
        outer = json.loads(raw)
        arguments, keywords, embedded = json.loads(base64.b64decode(outer["body"]))
        headers = outer["headers"]
        self.task_id, self.task = TaskId(headers["id"]), task_of(keywords["message"])
        self.results: list[Any] = arguments[0] if arguments else []
        group, index = headers["group"], headers["group_index"]
        self.request = SimpleNamespace(id=self.task_id, group=group, group_index=index, chord=embedded["chord"])


class Worker:
    """Idle; or with a message; or, once it is told that the attempt is its own, at work; or done and about to say so.

    `attempt` is what it announces to its lease keeper.
    """

    def __init__(self, number: int, role: str) -> None:
        self.id, self.role = WorkerId(f"w{number}"), role
        self.running, self.set_up = True, False
        self.registered_until_s = 0.0
        self.put_down()

    def __repr__(self) -> str:
        return f"{self.id} ({self.phase})"

    def put_down(self) -> None:
        """Be idle."""
        self.message: Message | None = None
        self.attempt: Attempt | None = None
        self.confirmed = 0  # when Redis said last that the attempt is this worker's
        self.result: tuple[Any] | None = None  # to be returned, once it is recorded

    @property
    def phase(self) -> str:
        """Where in its task it is."""
        if self.message is None:
            return "idle"
        if self.result is not None:
            return "done"
        return "fetched" if self.attempt is None else "at work"

    def answer(self, attempt: Attempt, task: Any) -> Report:
        """What it reports of its work; each attempt of each worker comes to something else."""
        who: dict[str, Any] = {"task_id": attempt.task_id, "attempt": attempt.number, "worker": self.id}
        made = ArtifactRef(name=f"{task.kind}/.{attempt.number}-{self.id}", sha256="0", size_bytes=1)
        match task.kind:
            case "select":
                return Selected(**who, training_set=made, samples=9, rows_read=10, watermark_key=9)
            case "train":
                return Trained(**who, member=made, train_s=1.0, loss=0.5, device="cpu")
            case "gather":
                return Gathered(**who, model=made)
            case "evaluate":
                return Evaluated(**who, scores=(score(made),))
            case "baseline":
                return Baselined(**who, scores={}, history={})
        return Decided(**who, **decision(True, task.trigger_id, RUN, made.name))


class Event(NamedTuple):
    """Something that can happen."""

    what: str
    act: Callable[[], None]

    def __repr__(self) -> str:
        return self.what


class UnsurePublisher(Publisher):
    """Tells what it offers; sometimes a message is sent, and the broker is gone before it has said so."""

    def __init__(self, app: Celery, client: redis.Redis, offered: Callable[[TaskId, int], None]) -> None:
        super().__init__(app, client, RUN, "flights")
        self._offered = offered
        self.answer_lost = False

    def publish(self, command: Any) -> None:
        """Send one task."""
        super().publish(command)
        self._lose_answer()

    def publish_chord(self, command: Any) -> None:
        """Send the headers."""
        super().publish_chord(command)
        self._lose_answer()

    def republish(self, command: Any) -> None:
        """Offer a new attempt and send it."""
        super().republish(command)
        self._offered(command.task_id, command.task.attempt)
        if command.chord is not None and command.results is None:
            self._offered(command.chord.body_id, command.chord.body.attempt)
        self._lose_answer()

    def _lose_answer(self) -> None:
        if self.answer_lost:
            self.answer_lost = False
            raise OperationalError("the connection broke")


class Memory(NamedTuple):
    """What Redis knew at a moment, and what the onlooker knew of it."""

    now_s: float
    keys: dict[str, bytes]
    newest: Counter[TaskId]
    recorded: dict[tuple[TaskId, int], Any]
    leases: dict[TaskId, tuple[int, float]]


class World(RuleBasedStateMachine):
    """A supervisor, its run with two triggers, and four workers."""

    def __init__(self, app: Celery, client: redis.Redis, clock: Clock, configuration: Configuration) -> None:
        super().__init__()
        self.app, self.client, self.clock = app, client, clock
        client.flushall()
        self.claims = Claims(client)
        self.setup = SetupRecord(
            version=1,
            run_id=RUN,
            pipeline=configuration.pipeline,
            dataset=configuration.system.datasets["rows"],
            manifest_uri="/run/manifest.jsonl",
            artifacts_uri="/run",
            trusted_modules=(),
            lease_s=LEASE_S,
            checkpoints_kept=1,
        )
        chosen = msgspec.structs.replace(Settings.of(configuration.pipeline), attempts=10_000, members=MEMBERS)
        self.state = RunState(settings=chosen)
        self.memories: list[Memory] = []  # the last few
        self.workers: list[Worker] = []
        self.hired = 0
        # What an onlooker knows who sees everything
        self.moment = 0  # counts what happens to claims
        self.wiped = 0  # when
        self.newest: Counter[TaskId] = Counter()  # the newest attempt that Redis has heard of since it was wiped
        self.recorded: dict[tuple[TaskId, int], Any] = {}  # what Redis has as the result of an attempt
        self.made: list[tuple[TaskId, Any]] = []  # every result that was ever recorded
        self.leases: dict[TaskId, tuple[int, float]] = {}  # attempt, and when its lease ends
        self.accepted: Counter[TaskId] = Counter()
        self.commits: Counter[tuple[str, int]] = Counter()
        self.sent: list[tuple[str, str]] = []  # (queue, message), of all that were taken off
        self.next_turn = 0

    # The supervisor

    def take_up(self) -> None:
        """Begin, or go on as another process: all that is known is the state, which is what the journal says."""
        write_setup(self.client, self.setup)
        self.publisher = UnsurePublisher(self.app, self.client, self.offered)
        committer: Any = SimpleNamespace(commit=self.commit)
        owner = Owner(self.client, RUN, self.setup.lease_s)
        self.commands = CommandQueue(committer, Broker(self.client, owner, self.publisher, RUN), self.clock.monotonic_s)
        self.reports = Reports(self.client, RUN, self.state.report_position)
        self.reports.continue_stream(self.state.report_position)
        self.watch = Watch(self.client, self.claims, self.reports, self.setup, Versions(), self.clock.monotonic_s)
        self.watch.begin(self.state)
        self.next_turn = 0

    def commit(self, command: Any, state: RunState) -> None:
        """An object is given its final name."""
        what = (type(command).__name__, command.trigger_id)
        self.commits[what] += 1
        assert self.commits[what] == 1

    def offered(self, task: TaskId, number: int) -> None:
        """An attempt was offered: whoever had an older one has it no more; doing it again takes it from nobody."""
        assert number >= self.newest[task]
        self.newest[task] = number
        if self.leases.get(task, (0, 0.0))[0] != number:
            self.leases.pop(task, None)

    def happen(self, event: Any) -> None:
        """Journal an event."""
        before = self.state
        self.state, commands, *_ = transition(before, event)
        self.commands.take(commands)
        if isinstance(event, Reported):
            self.judge(event.report, before, commands)

    def judge(self, report: Any, before: RunState, commands: list[Any]) -> None:
        """Only the current attempt's first report counts."""
        open_task = before.tasks.get(report.task_id)
        if open_task is None or report.attempt != open_task.task.attempt:
            unchanged = self.state.but(report_position=before.report_position)
            assert (unchanged, commands) == (before, []), "the report of an attempt that is not current counted"
        elif not open_task.ripe and not isinstance(report, Claimed):
            assert self.state.tasks[report.task_id].task.attempt > report.attempt, "a body counted before its headers"
        elif not isinstance(report, Claimed | Released):
            assert report.task_id not in self.state.tasks
            self.accepted[report.task_id] += 1
            assert self.accepted[report.task_id] == 1, "a task was accepted twice"

    def hear(self) -> None:
        """The supervisor takes what was reported since."""
        for position, report in self.reports.next(0.0):
            self.happen(Reported(time_us=0, position=position, report=report))

    def look(self) -> None:
        """The supervisor looks at leases and queues, and whether Redis still knows the run."""
        self.reports.trim(self.state.report_position)
        for event in self.watch.look(self.state, self.commands.take_sent()):
            if isinstance(event, LeaseExpired | Unclaimed):
                current = {event.task_id: event.attempt}
                assert not self.claims.standing(RUN, current, LEASE_S), (
                    "an attempt is taken from its worker without need"
                )
            self.happen(event)

    def fulfil(self) -> None:
        """The supervisor sends what it has decided to send."""
        try:
            assert self.commands.carry_out(self.state) is None
        except OperationalError:
            self.watch.broker_is_back()

    def turn(self) -> None:
        """The next third of a turn of the supervisor's loop."""
        (self.hear, self.look, self.fulfil)[self.next_turn]()
        self.next_turn = (self.next_turn + 1) % 3

    # The workers

    def hire(self, role: str) -> None:
        """One worker more."""
        self.workers.append(Worker(self.hired, role))
        self.hired += 1

    def waiting(self, worker: Worker) -> list[str]:
        """The queues of a worker in which there is something."""
        return [queue for queue in names.queues_of(worker.role, "cpu") if self.client.llen(queue)]

    def take_message(self, worker: Worker, queue: str) -> None:
        """A worker takes the oldest message off a queue."""
        raw = str(self.client.rpop(queue))
        self.sent.append((queue, raw))
        worker.message = message = Message(raw)
        if message.task.kind in BODIES:
            headers = [task_id(RUN, message.task.trigger_id, *header) for header in BODIES[message.task.kind]]
            pairs = zip(headers, message.results, strict=True)
            assert all(pair in self.made for pair in pairs), "a body is sent without real results of its headers"

    def confirm(self, worker: Worker, attempt: Attempt) -> None:
        """Redis told a worker that the attempt is its own: nobody else may have been told so since it knew last."""
        self.moment += 1
        whose, number = attempt.task_id, attempt.number
        assert number >= self.newest[whose], "Redis let a superseded attempt go on"
        self.newest[whose] = number
        rivals = [one for one in self.believers(whose, number) if one is not worker]
        assert not rivals, "two workers were told that the same attempt is theirs"
        worker.confirmed = self.moment

    def believers(self, task: TaskId, number: int) -> list[Worker]:
        """Workers that were told this attempt is theirs, by a Redis that was not wiped since.

        After a wipe others may think so, too. They are told otherwise when they renew or report, unless Redis is wiped
        once more: then several may report, and the supervisor counts the first.
        """
        return [
            worker
            for worker in self.workers
            if worker.attempt is not None
            and (worker.attempt.task_id, worker.attempt.number) == (task, number)
            and worker.phase == "at work"
            and worker.confirmed > self.wiped
        ]

    def try_claim(self, worker: Worker, *, answer_lost: bool = False) -> None:
        """A worker asks for the attempt of its message."""
        message = worker.message
        assert message is not None
        if not worker.set_up:
            worker.set_up = bool(self.client.exists(names.setup_key(RUN)))
        if not worker.set_up:
            worker.put_down()
            return
        number = message.task.attempt
        attempt = Attempt(run_id=RUN, task_id=message.task_id, number=number, worker=worker.id)
        answer, result = self.claims.claim(attempt, LEASE_S)
        if answer is ClaimAnswer.OK:
            self.confirm(worker, attempt)
            self.leases[message.task_id] = (number, self.clock.now_s + LEASE_S)
            assert (message.task_id, number) not in self.recorded, "what is done is to be done again"
        if answer is ClaimAnswer.DONE:
            assert result == self.recorded[message.task_id, number], "another result than the one recorded"
        if answer_lost:
            return
        if answer is ClaimAnswer.OK:
            worker.attempt = attempt
        elif answer is ClaimAnswer.DONE:
            worker.result = (result,)
        else:
            worker.put_down()

    def try_report(self, worker: Worker, *, released: bool = False, answer_lost: bool = False) -> None:
        """A worker records what it made, or hands it back."""
        attempt, message = worker.attempt, worker.message
        assert attempt is not None
        assert message is not None
        report: Any = worker.answer(attempt, message.task)
        result = result_of(report) or {"by": worker.id}
        if released:
            report, result = Released(task_id=attempt.task_id, attempt=attempt.number, worker=worker.id), None
        told = self.claims.report(attempt, report, result)
        if told:
            self.confirm(worker, attempt)
            worker.confirmed = 0  # it has given the attempt away, even if it never learns so
            self.leases.pop(attempt.task_id, None)
            if not released:
                recorded = json.loads(json.dumps(result))
                self.recorded[attempt.task_id, attempt.number] = recorded
                self.made.append((attempt.task_id, recorded))
        if answer_lost:
            return
        if told and not released:
            worker.result = (result,)
        else:
            worker.put_down()

    def hand_on(self, worker: Worker) -> None:
        """A worker's result is returned: it counts for its chord."""
        assert worker.message is not None
        assert worker.result is not None
        request, (result,) = worker.message.request, worker.result
        worker.put_down()
        if request.chord is not None:
            self.app.backend.on_chord_part_return(request, "SUCCESS", result)

    def work_on(self, worker: Worker) -> None:
        """A worker that nothing happens to does what it can."""
        if worker.phase == "idle":
            for queue in self.waiting(worker)[:1]:
                self.take_message(worker, queue)
        if worker.phase == "fetched":
            self.try_claim(worker)
        if worker.phase == "at work":
            self.try_report(worker)
        if worker.phase == "done":
            self.hand_on(worker)

    def keep_leases(self) -> None:
        """Every worker that is not stopped renews its lease and its entry in the registry."""
        for worker in self.workers:
            if not worker.running:
                continue
            attempt = worker.attempt
            if attempt is not None and self.claims.renew(attempt, LEASE_S):
                self.confirm(worker, attempt)
                self.leases[attempt.task_id] = (attempt.number, self.clock.now_s + LEASE_S)
            entry = WorkerEntry(
                worker=worker.id,
                role=worker.role,  # type: ignore[arg-type]
                hostname=worker.id,
                device="cpu",
                device_name="cpu",
                state="idle" if attempt is None else "busy",
                task=None if attempt is None else attempt.task_id,
                since_us=0,
                lease_s=LEASE_S,
                pid=1,
                versions={"messages": str(MESSAGE_VERSION)},
            )
            register(self.client, entry)
            worker.registered_until_s = self.clock.now_s + LEASE_S

    # Time

    def wait(self, seconds: float, *, renewing: bool = True) -> None:
        """Time passes everywhere."""
        while seconds > 0:
            step = min(seconds, BEAT_S)
            seconds -= step
            self.clock.now_s += step
            for leased in self.client.zrange(names.leases_key(RUN), 0, -1):
                self.client.zincrby(names.leases_key(RUN), -step * 1000, leased)
            for worker in self.workers:
                if worker.registered_until_s <= self.clock.now_s:
                    self.client.delete(names.worker_key(worker.id))
            if renewing:
                self.keep_leases()

    # What happens

    @initialize(
        stage=st.sampled_from(STAGES),
        wrong=st.sets(st.sampled_from(FAULTS), min_size=2),
        zombies_return=st.booleans(),
        side_by_side=st.booleans(),
    )
    def begin(
        self,
        stage: str,
        wrong: frozenset[str] = frozenset(),
        zombies_return: bool = False,
        side_by_side: bool = False,
    ) -> None:
        """Triggers fire, and what comes before the stage goes well. `wrong`: what goes wrong in this example."""
        chosen = msgspec.structs.replace(self.state.settings, use_previous_model=not side_by_side)
        self.state = self.state.but(settings=chosen)
        self.wrong = wrong
        self.zombies_return = zombies_return
        for role in (*ROLES, *ROLES):
            self.hire(role)
        self.take_up()
        started = RunStarted(
            time_us=0, run_id=RUN, mode="experiment", first_key=0, stop_key=None, maximum_triggers=None
        )
        self.happen(started)
        fired = tuple(Fired(id=TriggerId(n), key=9 + 10 * n, timestamp_us=9 + n, reason="") for n in range(TRIGGERS))
        self.happen(Observed(time_us=0, key=19, event_time_us=10, triggers=fired))
        self.fulfil()
        while not any(one.task.kind == stage for one in self.state.tasks.values()):
            for worker in self.workers:
                self.work_on(worker)
            self.hear()
            self.fulfil()

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """Any of what can happen now: somebody goes on with what it does, or one of this example's faults."""
        event = data.draw(st.sampled_from([*self.ordinary(), *self.faults()]), label="event")
        if "Redis comes back as it was" in self.wrong:
            self.remember()
        event.act()

    def ordinary(self) -> list[Event]:
        """What happens in any run; what stands here twice happens more often."""
        events = [
            Event("the supervisor goes on", self.turn),
            *[Event("the supervisor hears, looks and sends", self.whole_turn)] * 2,
            Event("some seconds pass", partial(self.look_on, 3.0)),
            Event("a long time passes", partial(self.look_on, LEASE_S)),
            Event("time passes while the supervisor is slow", partial(self.wait, BEAT_S)),
        ]
        for worker in self.workers:
            if worker.running and (worker.phase != "idle" or self.waiting(worker)):
                events += [Event(f"{worker} goes on", partial(self.step, worker))] * 2
        return events

    def faults(self) -> list[Event]:
        """What may go wrong now, of what goes wrong in this example."""
        events = [Event(what, act) for what, act in self.calamities.items() if what in self.wrong]
        for age, memory in enumerate(reversed(self.memories), 1):
            events.append(Event(f"Redis comes back as it was {age} events ago", partial(self.come_back_as, memory)))
        for worker in self.workers:
            if worker.running and worker.phase != "idle":
                if "stands still" in self.wrong:
                    events.append(Event(f"{worker} stands still", partial(self.stop, worker)))
                if "dies" in self.wrong:
                    events.append(Event(f"{worker} dies", partial(self.kill, worker)))
                if "answers lost" in self.wrong and worker.phase != "done":
                    events.append(Event(f"{worker} goes on, unanswered", partial(self.step, worker, answer_lost=True)))
                if "hands back" in self.wrong and worker.phase == "at work":
                    events.append(Event(f"{worker} hands back", partial(self.try_report, worker, released=True)))
            elif not worker.running:
                events += [Event(f"{worker} is back", partial(self.go_on, worker))] * 2
        if "messages again" in self.wrong:
            for number, (_, raw) in enumerate(self.sent[-4:]):
                again = Message(raw)
                what = f"the message of {again.task_id}, attempt {again.task.attempt}, comes again"
                events.append(Event(what, partial(self.deliver_again, number - len(self.sent[-4:]))))
        return events

    @property
    def calamities(self) -> dict[str, Callable[[], None]]:
        """What befalls all at once."""
        return {
            "Redis is wiped": self.wipe,
            "Redis's clock goes back": self.set_clock_back,
            "the broker is away": partial(self.broker_away, BEAT_S),
            "the broker is away for long": partial(self.broker_away, LEASE_S),
            "the next message is sent unanswered": self.lose_answer,
            "another supervisor takes over": self.supervisor_dies,
        }

    def step(self, worker: Worker, *, answer_lost: bool = False) -> None:
        """A worker takes a message, or claims, or reports success, or returns the result to Celery.

        If the answer to a claim or a report is lost on its way, it will ask again.
        """
        match worker.phase:
            case "idle":
                self.take_message(worker, self.waiting(worker)[0])
            case "fetched":
                self.try_claim(worker, answer_lost=answer_lost)
            case "at work":
                self.try_report(worker, answer_lost=answer_lost)
            case "done":
                self.hand_on(worker)

    def whole_turn(self) -> None:
        """The supervisor's loop ends its turn and does another one: it hears, looks and sends."""
        while self.next_turn:
            self.turn()
        for _ in range(3):
            self.turn()

    def look_on(self, seconds: float) -> None:
        """The supervisor looks on while workers only renew, those that do not stand still."""
        for _ in range(3):
            self.wait(seconds)
            self.whole_turn()

    def deliver_again(self, number: int) -> None:
        """A message that was delivered before, of whatever attempt, is delivered again, before all others."""
        queue, raw = self.sent.pop(number)
        self.client.rpush(queue, raw)

    def stop(self, worker: Worker) -> None:
        """A worker stands still where it is, stopped or cut off, and keeps what it has."""
        worker.running = False

    def go_on(self, worker: Worker) -> None:
        """A worker that stood still goes on where it was."""
        worker.running = True

    def kill(self, worker: Worker) -> None:
        """A worker dies with all it has; another is started in its place."""
        self.workers.remove(worker)
        self.hire(worker.role)

    def lose_answer(self) -> None:
        """The next message the supervisor sends arrives, but it never learns so and sends it again."""
        self.publisher.answer_lost = True

    def broker_away(self, seconds: float) -> None:
        """Nobody reaches Redis for a while, and so nobody renews."""
        self.wait(seconds, renewing=False)
        self.watch.broker_is_back()

    def wipe(self) -> None:
        """Redis loses everything it has: claims, leases, reports, queues, chords, the registry and the setup."""
        self.client.flushall()
        self.moment += 1
        self.wiped = self.moment
        self.newest.clear()
        self.recorded.clear()
        self.leases.clear()

    def remember(self) -> None:
        """What Redis knows now may be all that it will know when it comes back."""
        raw = redis.Redis(connection_pool=self.client.connection_pool)
        keys = {key: raw.execute_command("DUMP", key, NEVER_DECODE=True) for key in self.client.scan_iter()}
        told = Memory(self.clock.now_s, keys, self.newest.copy(), dict(self.recorded), dict(self.leases))
        self.memories = [*self.memories, told][-3:]

    def come_back_as(self, memory: Memory) -> None:
        """Redis loses its newest writes: a failover, or a machine that crashed before they were on its disk."""
        self.client.flushall()
        for key, body in memory.keys.items():
            self.client.restore(key, 0, body)
        passed_ms = 1000 * (self.clock.now_s - memory.now_s)
        for leased in self.client.zrange(names.leases_key(RUN), 0, -1):
            self.client.zincrby(names.leases_key(RUN), -passed_ms, leased)
        self.moment += 1
        self.wiped = self.moment
        self.newest, self.recorded = memory.newest.copy(), dict(memory.recorded)
        self.leases = dict(memory.leases)
        self.watch.broker_is_back()

    def set_clock_back(self) -> None:
        """Redis's clock goes back by many leases; its machine's time was wrong, and is set right."""
        back_s = 10 * LEASE_S
        for leased in self.client.zrange(names.leases_key(RUN), 0, -1):
            self.client.zincrby(names.leases_key(RUN), 1000 * back_s, leased)
        self.leases = {task: (number, self.clock.now_s + LEASE_S) for task, (number, _) in self.leases.items()}

    def supervisor_dies(self) -> None:
        """The supervisor dies with what it has not sent yet; another hears what came meanwhile and takes over."""
        self.take_up()
        self.hear()
        self.commands.drop_end()
        self.happen(Resumed(time_us=0, adopted=self.watch.standing(self.state)))
        self.fulfil()
        self.watch.begin(self.state)

    # What always holds

    @invariant()
    def one_owner(self) -> None:
        """Of the workers that believe to have the current attempt, Redis knows one at most."""
        for task, one in self.state.tasks.items():
            assert len(self.believers(task, one.task.attempt)) <= 1

    @invariant()
    def leases_are_judged_right(self) -> None:
        """A lease stands from each claim and renewal until it ends, and then is expired; never both or neither."""
        current = {task: one.task.attempt for task, one in self.state.tasks.items()}
        known = {task: ends_s for task, (number, ends_s) in self.leases.items() if current.get(task) == number}
        standing, expired = (ask(RUN, current, LEASE_S) for ask in (self.claims.standing, self.claims.expired))
        assert not set(standing) & set(expired)
        assert set(standing) == {task for task, ends_s in known.items() if ends_s > self.clock.now_s}
        assert set(expired) == {task for task, ends_s in known.items() if ends_s <= self.clock.now_s}

    def teardown(self) -> None:
        """Nothing goes wrong any more: then every task is accepted, whether workers that stand still return or not."""
        if sys.exc_info()[0] is None and self.workers:
            self.settle()

    def settle(self) -> None:
        """Let the run come to its end."""
        self.publisher.answer_lost = False
        for worker in self.workers:
            worker.running = worker.running or self.zombies_return
        for role in ROLES:
            if not any(worker.running for worker in self.workers if worker.role == role):
                self.hire(role)
        while self.next_turn:
            self.turn()
        for number in range(120):
            if not self.state.tasks:
                break
            for worker in self.workers:
                if worker.running:
                    self.work_on(worker)
            for _ in range(3):
                self.turn()
            self.leases_are_judged_right()
            self.wait(5.0 if number % 3 else BEAT_S)
        assert not self.state.tasks, "the run came to a standstill"
        for trigger in self.state.triggers.values():
            assert (trigger.phase, trigger.decided) == (Phase.COMMITTED, True)
        assert set(self.accepted.values()) == {1}
        stages = Counter((parts_of(task).trigger_id, parts_of(task).stage) for task in self.accepted)
        both = {"select": 1, "train": MEMBERS, "gather": 1, "evaluate": 2, "decide": 1}
        scored = {(0, "score"): 1, (0, "baseline"): 1}
        assert stages == {(n, stage): count for n in range(TRIGGERS) for stage, count in both.items()} | scored


def configured(folder: Path) -> Configuration:
    """A pipeline whose decision rests on two evaluations."""
    small = Workplace.small(folder)
    small.pipeline["evaluation"]["on"].append({"name": "lately", "window": {"last": "1d"}})
    small.write()
    return load_configuration(folder / "pipeline.yaml", folder / "config.yaml", experiment_mode=True)


@pytest.fixture
def app(redis_url: str) -> Iterator[Celery]:
    """Celery on the private Redis."""
    one = make_app(redis_url)
    yield one
    one.close()


@pytest.fixture
def world(app: Celery, client: redis.Redis, tmp_path: Path) -> Callable[[], World]:
    """Makes worlds, each with an empty Redis."""
    clock = Clock()
    configuration = configured(tmp_path)
    return lambda: World(app, client, clock, configuration)


def test_every_task_is_accepted_once_whatever_happens(world: Callable[[], World]) -> None:
    """No interleaving makes two workers own an attempt, a superseded one count, or the run stand still."""
    unhurried = settings(
        max_examples=60,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    explore(world, settings=unhurried)


def test_a_second_offer_whose_message_is_lost(world: Callable[[], World]) -> None:
    """The broker goes away while attempt 2 is sent: it arrives, is claimed, and is offered and sent again.

    The second message dies with another worker. Had it taken the attempt from its worker, the run would stand still:
    the supervisor has heard of a claim, so no message is missing, and there is no lease that could end.
    """
    run = world()
    run.begin("train")
    one, other = (worker for worker in run.workers if worker.role == "train")
    run.take_message(one, names.queue("train"))
    run.try_claim(one)
    run.try_report(one, released=True)
    run.publisher.answer_lost = True
    run.whole_turn()  # attempt 2 is sent, as far as is known in vain
    run.take_message(one, names.queue("train"))
    run.try_claim(one)
    run.whole_turn()  # hears of the claim, and sends attempt 2 again
    run.take_message(other, names.queue("train"))
    run.workers.remove(other)
    run.settle()


def test_reports_are_heard_after_the_clock_went_back(world: Callable[[], World]) -> None:
    """Redis is wiped and its clock set back: what is told then comes after all that was heard before."""
    run = world()
    run.begin("train")
    run.state = run.state.but(report_position="9999999999999-7")  # heard by a clock that was far ahead
    run.take_up()
    run.wipe()
    run.settle()
    assert run.state.report_position.startswith("9999999999999-")


def test_reports_are_heard_of_a_redis_that_came_back_older_with_its_clock_set_back(world: Callable[[], World]) -> None:
    """It still knows the run, so nothing is begun anew; what is told then comes after all that was heard before."""
    run = world()
    run.begin("train")
    run.remember()
    run.state = run.state.but(report_position="9999999999999-7")  # heard by a clock that was far ahead
    run.take_up()
    run.come_back_as(run.memories[-1])
    run.settle()
    assert run.state.report_position.startswith("9999999999999-")


def test_an_adopted_task_is_left_to_its_worker(world: Callable[[], World]) -> None:
    """Redis is wiped before the supervisor heard of a claim; the worker renews, and is adopted."""
    run = world()
    run.begin("train")
    one = next(worker for worker in run.workers if worker.role == "train")
    run.keep_leases()
    run.take_message(one, names.queue("train"))
    run.try_claim(one)
    run.wipe()
    run.wait(1.0)
    while run.next_turn:
        run.turn()
    run.whole_turn()  # notices
    run.wait(LEASE_S)
    run.whole_turn()  # adopts
    run.look_on(3.0)
    run.look_on(3.0)
    assert run.state.tasks[task_id(RUN, TriggerId(0), "train", 0)].task.attempt == 1


def test_a_body_is_accepted_only_after_its_headers(world: Callable[[], World]) -> None:
    """A header's lease ends and is judged; before the next attempt is offered, its worker returns and reports."""
    run = world()
    run.begin("train")
    one = next(worker for worker in run.workers if worker.role == "train")
    run.take_message(one, names.queue("train"))
    run.try_claim(one)
    run.wait(LEASE_S, renewing=False)
    run.hear()
    run.look()  # the lease has ended: attempt 2, which after a second loss waits for a second
    run.try_report(one)
    run.hand_on(one)
    run.work_on(next(worker for worker in run.workers if worker.role == "evaluate"))
    run.hear()
    assert run.accepted[TaskId("run/0/train/0")] or not run.accepted[TaskId("run/0/gather/0")]

"""Whole runs on the pure transition: whatever a fleet does to the supervisor, the run comes to its end in order.

The fleet is imagined: it answers published tasks in any order, repeats reports, answers for attempts that are long
superseded, hands tasks back and loses them; the supervisor is stopped, or killed and folded anew from its journal.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from run_of_events import decision
from workplace import Workplace

from shared.artifacts import ArtifactRef
from shared.config.load import load_configuration
from shared.ids import RunId, TriggerId, WorkerId
from shared.messages.message import encode
from shared.messages.reports import (
    Baselined,
    Decided,
    Evaluated,
    Failed,
    Gathered,
    MetricValue,
    Released,
    Selected,
    Trained,
)
from shared.messages.tasks import (
    BaselineTask,
    DecideTask,
    EvaluateTask,
    GatherTask,
    SelectTask,
    TrainTask,
    Watermarks,
)
from supervisor.core.commands import (
    CommitModel,
    CommitTrainingSet,
    End,
    Publish,
    PublishChord,
    Republish,
    RetireModel,
)
from supervisor.core.events import (
    Ended,
    LeaseExpired,
    Observed,
    Reported,
    Resumed,
    RunStarted,
    StopAsked,
    StreamEnded,
    Unclaimed,
    Wiped,
    event_of,
)
from supervisor.core.outlook import outlook
from supervisor.core.seen import Fired, Slice
from supervisor.core.settings import Settings
from supervisor.core.state import RunState
from supervisor.core.transition import transition
from supervisor.core.trigger_state import Phase

EVERY = 10  # rows between triggers
few = settings(max_examples=40)


@cache
def decisions(*, deploys=True, newest=None, models_kept=None, **training):
    """What the decisions depend on, with two windows that end at the watermark and one of slices."""
    with tempfile.TemporaryDirectory() as folder:
        small = Workplace.small(Path(folder))
        small.pipeline["training"].update({"attempts": 1000} | training)
        small.pipeline["evaluation"]["on"].append({"name": "lately", "window": {"last": "1d"}})
        if newest is not None:
            small.pipeline["evaluation"]["models"] = {"newest": newest}
        if not deploys:
            del small.pipeline["deployment"]
        small.write()
        files = (small.folder / "pipeline.yaml", small.folder / "config.yaml")
        settings = Settings.of(load_configuration(*files, experiment_mode=True).pipeline)
        return msgspec.structs.replace(settings, models_kept=models_kept)


def fold(chosen, journal):
    """The state that a journal describes."""
    state = RunState(settings=chosen)
    for line in journal:
        state, *_ = transition(state, event_of(line))
    return state


class World:
    """A supervisor, the rows that are still to come, and an imaginary fleet. Without chance nothing goes wrong."""

    def __init__(self, chosen, triggers, *, mode="experiment", doomed=(), chance=None, careless=False):
        self.settings, self.doomed, self.careless = chosen, doomed, careless
        self.random, self.mishaps = chance or Random(0), 25 if chance else 0
        self.state, self.journal = RunState(settings=chosen), []
        self.commands = []  # (command, the state it came from)
        self.to_come = list(range(triggers))
        self.messages, self.reports, self.told, self.lost = [], [], [], []
        self.returned = {}  # body → what its headers returned
        self.there = set()  # models that are on disk
        self.lost_models = Counter()  # how often each was lost
        self.happen(
            RunStarted(
                time_us=0, run_id=RunId("run"), mode=mode, first_key=0, stop_key=None,
                maximum_triggers=None,
            )
        )  # fmt: skip

    # The supervisor

    def happen(self, event):
        """Journal an event and carry out what follows from it."""
        self.journal.append(msgspec.json.encode(event))
        self.state, commands, *_ = transition(self.state, event)
        for command in commands:
            self.commands.append((command, self.state))
            self.carry_out(command)

    def carry_out(self, command):
        """Put messages on the queues; end the run."""
        match command:
            case Publish():
                self.messages.append((command.task_id, command.task, None))
            case PublishChord(headers=()):
                self.messages.append((command.body_id, command.body, None))
            case PublishChord():
                self.returned.pop(command.body_id, None)
                self.messages += [(task_id, task, command) for task_id, task in command.headers]
            case Republish():
                chord = command.chord if command.results is None else None
                self.messages.append((command.task_id, command.task, chord))
            case CommitModel():
                self.there.add(command.trigger_id)
            case RetireModel():
                self.there.remove(command.trigger_id)
            case End():
                self.happen(Ended(time_us=0, status=command.status, reason=command.reason))

    def observe(self):
        """The rows up to the next trigger, which close a slice in their middle; sometimes two triggers at once."""
        fired, slices = [], []
        for _ in range(self.random.choice([1, 1, 2]) if self.mishaps else 1):
            if self.to_come:
                number = self.to_come.pop(0)
                key = EVERY * (number + 1) - 1
                fired.append(Fired(id=TriggerId(number), key=key, timestamp_us=key, reason=""))
                slices.append(a_slice(EVERY * number - 5, key - 5))
        self.happen(Observed(time_us=0, key=key, event_time_us=key, triggers=tuple(fired), slices=tuple(slices)))

    def end_stream(self):
        """A few rows more, and no others."""
        key = self.state.stream.observed_key + 3
        self.happen(StreamEnded(time_us=0, key=key, slices=(a_slice(key - 7, key),)))

    def hear(self):
        """The next report of the stream."""
        report = self.reports.pop(0)
        self.happen(Reported(time_us=0, position=str(len(self.journal)), report=report))

    def judge(self):
        """Notice that a task was lost."""
        lost = self.lost.pop(0)
        kind = self.random.choice([LeaseExpired, Unclaimed])
        self.happen(kind(time_us=0, task_id=lost[0], attempt=lost[1]))

    def notice(self):
        """With every queue empty and every worker idle, find that a body never came: a zombie's header spent it."""
        for task_id, one in self.state.tasks.items():
            if one.is_body and one.ripe and task_id not in self.state.held:
                self.happen(Unclaimed(time_us=0, task_id=task_id, attempt=one.task.attempt))
                return
        raise AssertionError(f"the run waits for what never comes: {list(self.state.tasks)}")

    # The fleet

    def work(self):
        """Answer one of the messages, whether its attempt still counts or not."""
        task_id, task, chord = self.take()
        self.look_for_models(task_id, task)
        report = self.answer(task_id, task)
        self.reports.append(report)
        self.told.append(report)
        if chord is not None:
            returned = self.returned.setdefault(chord.body_id, {})
            complete = len(returned) == len(chord.headers)
            returned[task_id] = report
            if len(returned) == len(chord.headers) and not complete:
                self.messages.append((chord.body_id, chord.body, None))

    def look_for_models(self, task_id, task):
        """Models that a current attempt reads are there."""
        open_task = self.state.tasks.get(task_id)
        if open_task is None or open_task.task != task or task_id in self.state.held:
            return
        models = [task.previous_model] if isinstance(task, TrainTask) and task.previous_model else []
        models += [model.object for model in task.models] if isinstance(task, EvaluateTask) else []
        models += [task.candidate.object] if isinstance(task, DecideTask) else []
        assert {int(model.name.split("/")[-2]) for model in models} <= self.there

    def take(self):
        """A message off the queues."""
        return self.messages.pop(self.random.randrange(len(self.messages)))

    def answer(self, task_id, task):
        """What a worker reports of a task."""
        who = {"task_id": task_id, "attempt": task.attempt, "worker": WorkerId("w")}
        name = f"{task.trigger_id}.{task.attempt}"
        match task:
            case SelectTask():
                samples = 0 if (task.trigger_id, "select") in self.doomed else new_rows(task)
                return Selected(**who, training_set=ref(f"sets/.{name}"), samples=samples, rows_read=9, watermark_key=9)
            case TrainTask() | GatherTask() if (task.trigger_id, "train") in self.doomed:
                return Failed(**who, sentence="it broke", traceback="")
            case TrainTask():
                return Trained(**who, member=ref(f"members/{name}"), train_s=1.0, loss=0.5, device="cpu")
            case GatherTask():
                return Gathered(**who, model=ref(f"models/{task.trigger_id}/.{name}"))
            case EvaluateTask():
                return Evaluated(**who, scores=tuple(score(piece.window) for piece in task.stretches))
            case DecideTask():
                good = is_good(task.trigger_id)
                return Decided(**who, **decision(good, task.trigger_id if good else self.state.deployed))
            case BaselineTask():
                return Baselined(**who, scores={}, history={"up to": task.last_key})
        raise AssertionError(task)

    # What goes wrong

    def repeat(self):
        """A report comes again."""
        self.reports.append(self.random.choice(self.told))

    def lose(self):
        """A message is lost, or the worker that took it."""
        task_id, task, _ = self.take()
        self.lost.append((task_id, task.attempt))

    def hand_back(self):
        """A worker is asked to stop and returns its task unfinished."""
        task_id, task, _ = self.take()
        self.reports.append(Released(task_id=task_id, attempt=task.attempt, worker=WorkerId("w")))

    def kill(self):
        """The supervisor dies; another takes over what the journal says."""
        self.state = fold(self.settings, self.journal)
        self.happen(Resumed(time_us=0, adopted=self.adopted(), **self.lost_artifacts()))

    def wipe(self):
        """Redis forgets everything but what a worker claims anew."""
        self.lost.clear()
        adopted = self.adopted()
        self.messages = [(task_id, task, None) for task_id, task, _ in self.messages if task_id in adopted]
        self.reports.clear()
        self.happen(Wiped(time_us=0, adopted=adopted))

    def adopted(self):
        """Some of the tasks whose attempt a worker still has."""
        now = {task_id: one.task.attempt for task_id, one in self.state.tasks.items() if task_id not in self.state.held}
        had = sorted({task_id for task_id, task, _ in self.messages if now.get(task_id) == task.attempt})
        return tuple(task_id for task_id in had if self.random.random() < 0.5)

    def lost_artifacts(self):
        """Where somebody is careless, files are gone, too."""
        found = {"lost_training_sets": (), "lost_models": ()}
        if not self.careless:
            return found
        for index in range(len(self.state.triggers)):
            trigger = self.state.trigger(index)
            if trigger.training_set is not None and self.random.random() < 0.1:
                found["lost_training_sets"] += (TriggerId(index),)
            if trigger.model is not None and not trigger.retired and self.random.random() < 0.1:
                found["lost_models"] += (TriggerId(index),)
                self.there.remove(index)
                self.lost_models[index] += 1
        return found

    def stop(self):
        """The supervisor stops cleanly, hears some last reports, and is resumed."""
        self.happen(StopAsked(time_us=0, by="somebody"))
        for _ in range(min(len(self.reports), self.random.randrange(4))):
            self.hear()
        self.happen(Ended(time_us=0, status="stopped", reason="stopped on request"))
        self.happen(Resumed(time_us=0))

    # The course of things

    def ordinary(self):
        """What may happen next if nothing goes wrong."""
        acts = {
            self.observe: bool(self.to_come),
            self.end_stream: not self.to_come and not self.state.stream.ended,
            self.work: bool(self.messages),
            self.hear: bool(self.reports),
            self.judge: bool(self.lost),
        }
        return [act for act, may in acts.items() if may]

    def mishap(self):
        """Something goes wrong."""
        self.mishaps -= 1
        acts = [self.kill, self.stop, self.wipe]
        acts += [self.repeat] if self.told else []
        acts += [self.lose, self.hand_back] if self.messages else []
        self.random.choice(acts)()

    def run(self):
        """Things happen until the run is over."""
        while self.state.status == "running":
            acts = self.ordinary() or [self.notice]
            if self.mishaps and self.random.random() < 0.25:
                self.mishap()
            else:
                self.random.choice(acts)()
        return self

    def settle(self):
        """The fleet does all the work there is."""
        while self.messages or self.reports:
            (self.hear if self.reports else self.work)()

    # What was seen

    def all(self, kind):
        """Commands of a kind, in order."""
        return [command for command, _ in self.commands if isinstance(command, kind)]

    def published(self, kind):
        """Tasks of a kind as they were published first, in order, each with the state it came from."""
        found = []
        for command, state in self.commands:
            pairs = [(command.task_id, command.task)] if isinstance(command, Publish) else []
            if isinstance(command, PublishChord):
                pairs = [*command.headers, (command.body_id, command.body)]
            found += [(task, state) for _, task in pairs if isinstance(task, kind)]
        return found

    def phases(self):
        """How far each trigger has come."""
        return [self.state.trigger(index).phase for index in range(len(self.state.triggers))]


def new_rows(task):
    """How many rows a selection of `new_data` chooses from."""
    return task.trigger_key - (task.previous[-1].key if task.previous else task.first_key - 1)


def a_slice(first_key, last_key):
    """A slice of the rows, from the first on if there are fewer before."""
    first_key = max(first_key, 0)
    return Slice(window="months", start_us=first_key, first_key=first_key, last_key=last_key, event_time_us=None)


def ref(name):
    """An object somewhere."""
    return ArtifactRef(name=name, sha256="0", size_bytes=1)


def is_good(trigger_id):
    """What the gate says of a model: every third is refused."""
    return trigger_id % 3 != 1


def score(window):
    """A score on a window."""
    return MetricValue(
        trigger_id=TriggerId(0), window=window, slice="", metric="accuracy", value=1.0, n=1,
        first_timestamp_us=0, last_timestamp_us=0, error=None,
    )  # fmt: skip


def worlds(use_previous_model=None, models_kept=None, **fixed):
    """Runs that had to go through anything, and are over."""
    previous = st.booleans() if use_previous_model is None else st.just(use_previous_model)
    chosen = st.builds(
        decisions,
        deploys=st.booleans(),
        use_previous_model=previous,
        max_in_flight=st.sampled_from([1, 2, 8]),
        models_kept=st.just(models_kept),
    )
    chance = st.randoms(use_true_random=True)
    return st.builds(World, chosen, st.integers(1, 6), chance=chance, **fixed).map(World.run)


# Any fleet


@few
@given(worlds())
def test_a_run_always_comes_to_its_end(world):
    """Once all rows are seen and all models scored it is finished, and nothing is left open."""
    assert world.state.status == "finished"
    assert not world.state.tasks
    assert set(world.phases()) == {Phase.COMMITTED}


@few
@given(worlds(careless=st.just(True)))
def test_what_was_lost_is_made_anew(world):
    """Sets and models vanish between two sessions: the run still ends, with every model there and none made in vain."""
    assert world.state.status == "finished"
    assert set(world.phases()) == {Phase.COMMITTED}
    assert world.there == set(range(len(world.state.triggers)))
    assert Counter(command.trigger_id for command in world.all(CommitModel)) == world.lost_models + Counter(world.there)
    assert fold(world.settings, world.journal) == world.state


@few
@given(worlds(careless=st.just(True), models_kept=1))
def test_what_was_lost_is_made_anew_from_models_that_were_let_go(world):
    """A training that continues from a retired model has that made anew, too; in the end it is let go of again."""
    assert world.state.status == "finished"
    assert set(world.phases()) == {Phase.COMMITTED}
    first_deployed_newest = {0, world.state.deployed, len(world.state.triggers) - 1} - {None}
    assert first_deployed_newest <= world.there
    assert fold(world.settings, world.journal) == world.state


@few
@given(triggers=st.integers(1, 6), previous=st.booleans(), chance=st.randoms(use_true_random=True))
def test_what_was_lost_is_made_anew_where_triggers_are_put_together(triggers, previous, chance):
    """A run that follows a dataset makes lost sets and models anew, and puts none of them together with a new one."""
    chosen = decisions(backlog="coalesce", use_previous_model=previous)
    world = World(chosen, triggers, mode="production", chance=chance, careless=True).run()
    assert world.there == {n for n, phase in enumerate(world.phases()) if phase is Phase.COMMITTED}
    assert fold(world.settings, world.journal) == world.state


@few
@given(worlds())
def test_every_training_set_and_model_is_committed_once(world):
    """Zombies and repetitions commit nothing, losses keep nothing from being committed."""
    once = Counter(range(len(world.state.triggers)))
    assert Counter(command.trigger_id for command in world.all(CommitTrainingSet)) == once
    assert Counter(command.trigger_id for command in world.all(CommitModel)) == once


@few
@given(worlds())
def test_only_the_newest_attempts_objects_are_committed(world):
    """A zombie's set or model leaves no trace, whenever it is reported."""
    newest = {}
    for command, _ in world.commands:
        match command:
            case Republish():
                newest[command.task_id] = command.task.attempt
            case CommitTrainingSet(trigger_id=trigger):
                attempt = newest.get(f"run/{trigger}/select/0", 1)
                assert command.training_set == ref(f"sets/.{trigger}.{attempt}")
            case CommitModel(trigger_id=trigger):
                attempt = newest.get(f"run/{trigger}/gather/0", 1)
                assert command.model == ref(f"models/{trigger}/.{trigger}.{attempt}")


@few
@given(worlds())
def test_a_training_is_given_the_committed_set(world):
    """Under its final name, which it has before the message that names it goes out."""
    committed = []
    for command, _ in world.commands:
        if isinstance(command, CommitTrainingSet):
            committed.append(command.trigger_id)
        if isinstance(command, PublishChord) and isinstance(command.body, GatherTask):
            ((_, task),) = command.headers
            assert task.training_set == ref(f"sets/{task.trigger_id}.parquet")
            assert task.trigger_id in committed


@few
@given(worlds(use_previous_model=True))
def test_each_training_continues_from_the_model_before(world):
    """Training i starts from model i−1, once that is committed; the first from none."""
    for task, state in world.published(TrainTask):
        before = state.triggers.get(task.trigger_id - 1)
        assert task.previous_model == (before.model if before else None)
        assert before is None or before.phase is Phase.COMMITTED


@few
@given(worlds(use_previous_model=False))
def test_fresh_trainings_run_side_by_side_within_bounds(world):
    """None starts from another's model, and at most `max_in_flight` are under way."""
    assert all(task.previous_model is None for task, _ in world.published(TrainTask))
    for _, state in world.commands:
        under_way = sum(isinstance(open_task.task, GatherTask) for open_task in state.tasks.values())
        assert under_way <= world.settings.max_in_flight


@few
@given(worlds())
def test_selections_go_one_after_the_other(world):
    """Selection i+1 is published once the set of trigger i is there, in order, and names the trigger before."""
    selections = world.published(SelectTask)
    assert [task.trigger_id for task, _ in selections] == list(range(len(world.state.triggers)))
    for task, state in selections:
        assert all(state.trigger(index).training_set for index in range(task.trigger_id))
        before = EVERY * task.trigger_id - 1
        assert task.previous == ((Watermarks(key=before, labelled_key=before),) if task.trigger_id else ())
        assert new_rows(task) == EVERY


@few
@given(worlds())
def test_decisions_are_taken_in_the_order_of_the_triggers(world):
    """Each after the one before was taken, and against what that left deployed."""
    taken = world.published(DecideTask)
    assert [task.trigger_id for task, _ in taken] == list(range(len(taken)))
    assert len(taken) == (len(world.state.triggers) if world.settings.deploys else 0)
    for task, state in taken:
        assert all(state.trigger(index).decided for index in range(task.trigger_id))
        held = max(filter(is_good, range(task.trigger_id)), default=None)
        assert task.known == ({} if held is None else {"deployed": held + 1})


@few
@given(worlds())
def test_a_body_goes_out_again_only_with_all_its_headers_results(world):
    """They are in the order of the headers; any other task goes out again without results."""
    for again in world.all(Republish):
        if not isinstance(again.task, GatherTask | DecideTask):
            assert again.results is None
            continue
        for result, (_, header) in zip(again.results, again.chord.headers, strict=True):
            assert is_of(result, header)


def is_of(result, header):
    """Whether a header returned this: a member of its trigger, or scores on its window."""
    if isinstance(header, TrainTask):
        return result["name"].startswith(f"members/{header.trigger_id}.")
    return result["scores"][0]["window"] == header.stretches[0].window


@few
@given(worlds())
def test_no_attempt_number_is_given_out_twice(world):
    """Whose report counts is never in doubt; the first attempt is number 1."""
    first = Counter((task_id, 1) for task_id in first_published(world))
    again = Counter((command.task_id, command.task.attempt) for command in world.all(Republish))
    assert set((first + again).values()) == {1}
    assert {task_id for task_id, _ in again} <= {task_id for task_id, _ in first}


def first_published(world):
    """The id of every task as it was published first."""
    for command in world.all(Publish):
        yield command.task_id
    for command in world.all(PublishChord):
        yield from (task_id for task_id, _ in command.headers)
        yield command.body_id


@few
@given(worlds())
def test_the_journal_alone_gives_the_state(world):
    """What was reached live, through any stops and kills, is what the lines on disk fold to."""
    assert fold(world.settings, world.journal) == world.state


@few
@given(worlds())
def test_every_model_meets_every_window_once(world):
    """Slices, windows that end at the watermark, and the rows up to the next trigger: none twice, none left out."""
    count, last = len(world.state.triggers), world.state.stream.observed_key
    slices = {piece.first_key for piece in world.state.stream.slices.values()}
    found = Counter(
        (model.trigger_id, piece.window, piece.first_key if piece.window == "months" else piece.last_key)
        for task, _ in world.published(EvaluateTask)
        for piece in task.stretches
        for model in task.models
        if model.trigger_id == task.trigger_id
    )
    ends = [EVERY * (index + 1) - 1 for index in range(count)]
    assert found == Counter(
        [(index, "months", first_key) for index in range(count) for first_key in slices]
        + [(index, window, ends[index]) for index in range(count) for window in ("recent", "lately")]
        + [(index, "next", end) for index, end in enumerate([*ends[1:], last])]
    )


@few
@given(worlds())
def test_baselines_hand_their_counts_from_window_to_window(world):
    """In order, one at a time, on the rows between triggers; each gets what the one before left."""
    tasks = [task for task, _ in world.published(BaselineTask)]
    ends = [EVERY * (index + 1) - 1 for index in range(len(world.state.triggers))]
    assert [(task.first_key, task.last_key) for task in tasks] == [
        (end + 1, last) for end, last in zip(ends, [*ends[1:], world.state.stream.observed_key], strict=True)
    ]
    assert [task.history for task in tasks] == [None, *({"up to": task.last_key} for task in tasks[:-1])]


@few
@given(worlds())
def test_how_far_a_run_is_goes_up_to_all_of_it(world):
    """Once the stream has ended all that is due is known, and stays: nothing is counted twice or missed."""
    state, known = RunState(settings=world.settings), set()
    for line in world.journal:
        state, *_ = transition(state, event_of(line))
        now = outlook(state)
        assert 0 <= now.evaluations_done <= now.evaluations
        assert 0 <= now.triggers_done <= now.triggers
        known |= {now.evaluations} if state.stream.ended else set()
    count = len(state.triggers)  # a window, its baselines, two windows at the watermark, and all slices, for each
    assert known == {count * (4 + len(state.stream.slices))} == {now.evaluations_done}
    assert (now.triggers_done, now.first_undone) == (count, "")


# models: {newest: N}


@few
@given(newest=st.integers(1, 3), triggers=st.integers(1, 6), chance=st.randoms(use_true_random=True))
def test_newest_n_models_meet_the_slices_of_their_time(newest, triggers, chance):
    """A model meets slices after its trigger until N newer triggers had fired, however late it was committed."""
    world = World(decisions(newest=newest), triggers, chance=chance).run()
    keys = [EVERY * (index + 1) - 1 for index in range(triggers)]
    expected = Counter(
        (index, piece.first_key)
        for index, key in enumerate(keys)
        for piece in world.state.stream.slices.values()
        if piece.last_key > key
        and not any(newer < piece.first_key for newer in keys[index + newest : index + newest + 1])
    )
    assert expected == Counter(
        (task.trigger_id, piece.first_key)
        for task, _ in world.published(EvaluateTask)
        for piece in task.stretches
        if piece.window == "months"
    )


# training.on_failure: continue

stages = st.sampled_from(["select", "train"])


@few
@given(
    doomed=st.sets(st.tuples(st.integers(0, 5), stages), max_size=5),
    use_previous_model=st.booleans(),
    triggers=st.integers(1, 6),
    chance=st.randoms(use_true_random=True),
)
def test_with_on_failure_continue_the_others_are_committed(doomed, use_previous_model, triggers, chance):
    """A trigger whose training breaks, or without rows to train on, has no model; the run is finished all the same."""
    chosen = decisions(on_failure="continue", use_previous_model=use_previous_model)
    world = World(chosen, triggers, doomed=doomed, chance=chance).run()
    failed = {trigger for trigger, _ in doomed}
    assert world.state.status == "finished"
    phases = {n: Phase.EMPTY if (n, "select") in doomed else Phase.FAILED for n in failed}
    assert world.phases() == [phases.get(n, Phase.COMMITTED) for n in range(triggers)]
    assert Counter(c.trigger_id for c in world.all(CommitModel)) == Counter(set(range(triggers)) - failed)
    assert fold(world.settings, world.journal) == world.state


@few
@given(
    empty=st.sets(st.integers(0, 5)),
    use_previous_model=st.booleans(),
    triggers=st.integers(1, 6),
    chance=st.randoms(use_true_random=True),
)
def test_a_trigger_without_rows_is_no_failure(empty, use_previous_model, triggers, chance):
    """Also where the first failure ends the run: nothing is trained, and the model before owns the rows."""
    chosen = decisions(on_failure="stop", use_previous_model=use_previous_model)
    world = World(chosen, triggers, doomed={(n, "select") for n in empty}, chance=chance).run()
    assert world.state.status == "finished"
    assert world.phases() == [Phase.EMPTY if n in empty else Phase.COMMITTED for n in range(triggers)]
    with_model = [n for n in range(triggers) if n not in empty]
    windows = {
        task.trigger_id: task.stretches[0].last_key
        for task, _ in world.published(EvaluateTask)
        if task.stretches[0].window == "next"
    }
    for index, following in zip(with_model, with_model[1:], strict=False):
        assert windows[index] == world.state.trigger(following).fired.key
    assert fold(world.settings, world.journal) == world.state


def test_a_failed_trigger_says_why_and_the_next_goes_on_from_the_model_before():
    """Training 2 continues from model 0 if training 1 broke."""
    world = World(decisions(on_failure="continue"), 3, doomed={(1, "train")}).run()
    assert world.state.trigger(1).error == "it broke"
    assert world.published(TrainTask)[2][0].previous_model == world.state.trigger(0).model


def test_rows_of_a_failed_trigger_are_not_given_to_the_next():
    """Each trigger has its own new rows, also after a failure."""
    world = World(decisions(on_failure="continue"), 3, doomed={(1, "select")}).run()
    assert [(task.trigger_key, new_rows(task)) for task, _ in world.published(SelectTask)] == [
        (9, EVERY),
        (19, EVERY),
        (29, EVERY),
    ]


def test_with_on_failure_stop_the_run_ends_at_the_first_failure():
    """The reason names trigger and cause; nothing more is published."""
    world = World(decisions(on_failure="stop"), 3, doomed={(1, "train")}).run()
    assert world.state.status == "failed"
    assert world.all(End)[0].reason == "trigger 1: it broke"
    assert [task.trigger_id for task, _ in world.published(TrainTask)] == [0, 1]


def test_a_broken_evaluation_ends_the_run_also_under_continue():
    """Only selections and trainings may be survived: a score that is missing would be missed by nobody."""
    world = World(decisions(on_failure="continue"), 1)
    world.observe()
    while not (scoring := [one for one in world.messages if isinstance(one[1], EvaluateTask)]):
        (world.hear if world.reports else world.work)()
    task_id, task, _ = scoring[0]
    report = Failed(task_id=task_id, attempt=task.attempt, worker=WorkerId("w"), sentence="no metric", traceback="")
    world.happen(Reported(time_us=0, position="1-0", report=report))
    assert world.state.status == "failed"


# training.backlog: coalesce


def behind(mode="production", triggers=4):
    """A run in which triggers 1, 2, … fire while trigger 0 is being selected."""
    world = World(decisions(backlog="coalesce", use_previous_model=False), triggers, mode=mode)
    for _ in range(triggers):
        world.observe()
    world.to_come.clear()
    world.settle()
    return world


def test_triggers_that_come_too_fast_are_put_together():
    """Those that wait when the next selection can begin go into the newest; only that is selected and trained."""
    world = behind()
    assert world.phases() == [Phase.COMMITTED, Phase.COALESCED, Phase.COALESCED, Phase.COMMITTED]
    assert [task.trigger_id for task, _ in world.published(TrainTask)] == [0, 3]


def test_the_rows_of_coalesced_triggers_go_into_the_next():
    """Its selection begins after the last trigger that was selected, and counts their rows with its own."""
    task = behind().published(SelectTask)[1][0]
    assert ([one.key for one in task.previous], task.trigger_key) == ([9], 39)
    assert behind().state.trigger(3).first_key == 10


def test_a_replay_coalesces_nothing():
    """In experiment mode training takes no time, so no trigger can be too fast."""
    assert behind(mode="experiment").phases() == [Phase.COMMITTED] * 4


def test_triggers_that_do_not_wait_are_not_put_together():
    """A trigger whose selection can begin at once stays itself."""
    world = World(decisions(backlog="coalesce"), 3, mode="production")
    for _ in range(3):
        world.observe()
        world.settle()
    assert world.phases() == [Phase.COMMITTED] * 3


@few
@given(max_in_flight=st.sampled_from([1, 2, 8]), triggers=st.integers(1, 6), chance=st.randoms(use_true_random=True))
def test_coalescing_loses_no_row_and_never_the_newest_trigger(max_in_flight, triggers, chance):
    """Every row is new to exactly one selection, and every trigger is trained or part of a later one."""
    chosen = decisions(backlog="coalesce", use_previous_model=False, max_in_flight=max_in_flight, deploys=False)
    world = World(chosen, triggers, mode="production", chance=chance).run()
    selections = [task for task, _ in world.published(SelectTask)]
    starts = [0, *(task.trigger_key + 1 for task in selections)]
    assert [new_rows(task) for task in selections] == [b - a for a, b in zip(starts, starts[1:], strict=False)]
    assert world.phases()[-1] is Phase.COMMITTED
    assert {n for n, phase in enumerate(world.phases()) if phase is Phase.COMMITTED} == {
        task.trigger_id for task in selections
    }


# Messages stay small, and tasks short


def test_a_message_holds_as_many_slices_as_stay_small():
    """A model that meets 500 slices at once is sent several tasks of less than ten kilobytes, each slice once."""
    world = World(decisions(), 1)
    slices = tuple(a_slice(10_000_000 + n, 10_000_000 + n) for n in range(500))
    world.happen(Observed(time_us=0, key=20_000_000, event_time_us=0, slices=slices))
    world.observe()
    world.settle()
    tasks = [task for task, _ in world.published(EvaluateTask) if task.stretches[0].window == "months"]
    assert max(len(encode(task)) for task in tasks) < 10_000
    assert Counter(piece.first_key for task in tasks for piece in task.stretches if piece.first_key >= 10_000_000) == (
        Counter(piece.first_key for piece in slices)
    )


def test_a_task_is_as_long_as_a_decision_can_wait():
    """An evaluate worker that is busy with the matrix decides nothing: a task takes a million rows, or one slice."""
    world = World(decisions(), 1)
    bounds = [(10_000_000 + 400_000 * n, 10_000_000 + 400_000 * (n + 1) - 1) for n in range(4)]
    slices = (*(a_slice(*each) for each in bounds), a_slice(20_000_000, 29_999_999))
    world.happen(Observed(time_us=0, key=40_000_000, event_time_us=0, slices=slices))
    world.observe()
    world.settle()
    tasks = [task for task, _ in world.published(EvaluateTask) if task.stretches[0].window == "months"]
    rows = [
        [one.last_key - one.first_key + 1 for one in task.stretches if one.first_key >= 10_000_000] for task in tasks
    ]
    assert [each for each in rows if each] == [[400_000] * 2, [400_000] * 2, [10_000_000]]

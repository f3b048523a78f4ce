"""The tasks that were published and not reported yet, and what must be known of all of them at once at no cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from immutables import Map

from shared.ids import TaskId, WorkerId
from shared.messages.tasks import AnyTask, BaselineTask, EvaluateTask
from supervisor.core.commands import PublishChord


class OpenTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task that was published and not reported yet."""

    task: AnyTask
    worker: WorkerId | None = None  # who claimed this attempt
    chord: PublishChord | None = None
    results: Map[TaskId, Any] = Map()  # for a chord's body: what its headers returned
    losses: int = 0  # workers that were lost over it

    @property
    def ripe(self) -> bool:
        """Whether a worker could claim it: a body waits for its headers."""
        return self.chord is None or len(self.results) >= len(self.chord.headers) or not self.is_body

    @property
    def is_body(self) -> bool:
        """Whether this is the body of its chord."""
        return self.chord is not None and self.chord.body.kind == self.task.kind


class OpenTasks(msgspec.Struct, frozen=True):
    """A mapping that never changes: `with_task` and `without` give another one, in O(log n).

    Its counts and indexes are kept along, so that no event costs more with twenty thousand open evaluations.
    """

    _all: Map[TaskId, OpenTask] = Map()
    claimed: Map[TaskId, int] = Map()  # those that a worker has claimed → attempt; as many as there are workers
    _kinds: Map[str, int] = Map()  # kind → how many
    _readers: Map[int, int] = Map()  # trigger → how many read its model
    evaluations: int = 0  # windows and slices to be scored, and baselines of windows, of all that are open

    @classmethod
    def of(cls, tasks: Mapping[TaskId, OpenTask]) -> OpenTasks:
        """These tasks."""
        found = cls()
        for task_id, open_task in tasks.items():
            found = found.with_task(task_id, open_task)
        return found

    def with_task(self, task_id: TaskId, open_task: OpenTask) -> OpenTasks:
        """One task more, or changed."""
        left = self.without(task_id) if task_id in self._all else self
        claimed = left.claimed
        if open_task.worker is not None:
            claimed = claimed.set(task_id, open_task.task.attempt)
        kinds = _counted(left._kinds, open_task.task.kind, 1)
        readers = left._readers
        for model in open_task.task.reads:
            readers = _counted(readers, model.trigger_id, 1)
        evaluations = left.evaluations + evaluations_of(open_task.task)
        return OpenTasks(left._all.set(task_id, open_task), claimed, kinds, readers, evaluations)

    def without(self, task_id: TaskId) -> OpenTasks:
        """All but this one, which may be absent."""
        gone = self._all.get(task_id)
        if gone is None:
            return self
        claimed = self.claimed.delete(task_id) if gone.worker is not None else self.claimed
        readers = self._readers
        for model in gone.task.reads:
            readers = _counted(readers, model.trigger_id, -1)
        kinds = _counted(self._kinds, gone.task.kind, -1)
        evaluations = self.evaluations - evaluations_of(gone.task)
        return OpenTasks(self._all.delete(task_id), claimed, kinds, readers, evaluations)

    def count(self, kind: str) -> int:
        """How many of a kind are open."""
        return self._kinds.get(kind, 0)

    def read(self, trigger: int) -> bool:
        """Whether an open task reads the model of this trigger."""
        return trigger in self._readers

    def get(self, task_id: TaskId) -> OpenTask | None:
        """The task, None if it is not open."""
        return self._all.get(task_id)

    def items(self) -> Iterator[tuple[TaskId, OpenTask]]:
        """Each with its id."""
        return iter(self._all.items())

    def values(self) -> Iterator[OpenTask]:
        """Each without its id."""
        return iter(self._all.values())

    def __getitem__(self, task_id: TaskId) -> OpenTask:
        return self._all[task_id]

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._all

    def __iter__(self) -> Iterator[TaskId]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def evaluations_of(task: AnyTask) -> int:
    """How many windows and slices it scores; the baselines of a window count as one, early estimates as none."""
    if isinstance(task, EvaluateTask):
        return 0 if task.early else len(task.stretches)
    return int(isinstance(task, BaselineTask))


def _counted(counts: Map[Any, int], what: Any, by: int) -> Map[Any, int]:
    """The counts, with one changed; what is at nothing is left out."""
    now = counts.get(what, 0) + by
    return counts.set(what, now) if now else counts.delete(what)

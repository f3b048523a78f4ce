"""Commands onto the Celery queues: tasks, chords, and either of them again."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import msgspec
import redis
from celery import Celery
from celery.canvas import Signature
from celery.utils.nodenames import worker_direct
from kombu.messaging import Producer

from shared import names
from shared.claims import Claims
from shared.ids import RunId, TaskId, parts_of
from shared.messages.tasks import AnyTask
from supervisor.core.commands import Publish, PublishChord, Republish
from supervisor.run.described import described, described_call
from supervisor.run.onlookers import Onlookers


class Publisher:
    """Publishes for one run. Every method raises kombu's OperationalError or redis.RedisError if the broker is away."""

    def __init__(self, app: Celery, client: redis.Redis, run_id: RunId, pipeline: str) -> None:
        self._app = app
        self._client = client
        self._claims = Claims(client)
        self._run_id = run_id
        self._pipeline = pipeline  # its name
        self._onlookers = Onlookers(client)
        self._producer: Producer | None = None

    def publish(self, command: Publish) -> None:
        """Send one task."""
        self._send(self._signature(command.task_id, command.task))

    def publish_chord(self, command: PublishChord) -> None:
        """Send the headers; their results go to the body. Without headers the body goes out at once."""
        if not command.headers:
            self._send(self._signature(command.body_id, command.body), args=([],))
            return
        self._open(command)
        for task_id, task in command.headers:
            self._publish_header(task_id, task, command)

    def republish(self, command: Republish) -> None:
        """Offer a new attempt and send the task again, in its place in its chord.

        A header takes its body with it: what an earlier attempt's result has set going is superseded, too.
        """
        self._claims.offer(self._run_id, command.task_id, command.task.attempt)
        if command.chord is not None and command.results is None:
            self._claims.offer(self._run_id, command.chord.body_id, command.chord.body.attempt)
        if command.chord is None:
            self._send(self._signature(command.task_id, command.task))
        elif command.results is not None:
            self._send(self._signature(command.task_id, command.task), args=(list(command.results),))
        else:
            self._open(command.chord)
            self._publish_header(command.task_id, command.task, command.chord)

    def send_set_up(self, hostname: str, version: int, expires_s: float) -> None:
        """Have one worker set itself up for the run, unless it is busy for longer than `expires_s`."""
        self._tell(hostname, "set_up", [self._run_id, version], expires_s)

    def send_tear_down(self, hostname: str, expires_s: float) -> None:
        """Have one worker forget the run."""
        self._tell(hostname, "tear_down", [self._run_id], expires_s)

    def _tell(self, hostname: str, kind: str, arguments: list[Any], expires_s: float) -> None:
        """Send a message to the worker's own queue. Both expire: the queue of a dead worker would keep it for ever."""
        queue = worker_direct(hostname)
        shown = described_call(self._pipeline, self._run_id)
        options = {"queue": queue, "expires": expires_s, "ignore_result": True}
        options |= {"argsrepr": shown.args, "kwargsrepr": shown.kwargs}
        self._send(self._app.signature(names.celery_task(kind), args=arguments, **options))
        self._client.expire(queue.name, math.ceil(expires_s))

    def close(self) -> None:
        """Let go of the broker, before it is stopped."""
        self._hang_up()
        self._app.close()

    def _send(self, signature: Signature, **options: Any) -> None:
        """Send over a connection of our own, which is made anew after any failure."""
        self._app.conf.task_send_sent_event = self._onlookers.are_there()
        for stumbled in (False, True):
            try:
                signature.apply_async(producer=self._dial(), **options)
                return
            except (AttributeError, KeyError):
                # Kombu stumbles over a channel that it closed when the broker went away. On a new connection it says
                # what the matter is; what it stumbles over there, too, is a mistake of ours.
                self._hang_up()
                if stumbled:
                    raise
            except Exception:
                self._hang_up()
                raise

    def _dial(self) -> Producer:
        if self._producer is None:
            self._producer = self._app.amqp.Producer(self._app.connection_for_write(), auto_declare=False)
        return self._producer

    def _hang_up(self) -> None:
        if self._producer is not None:
            with contextlib.suppress(Exception):  # it is broken
                self._producer.connection.release()
            self._producer = None

    def _open(self, chord: PublishChord) -> None:
        """Have Redis count the headers that return."""
        self._app.backend.set_chord_size(_group(chord), len(chord.headers))

    def _publish_header(self, task_id: TaskId, task: AnyTask, chord: PublishChord) -> None:
        """A header carries its group and the body; Celery's own `chord` would leave five subscriptions here."""
        body = self._signature(chord.body_id, chord.body)
        number = parts_of(task_id).number
        self._send(self._signature(task_id, task), group_id=_group(chord), group_index=number, chord=body)

    def _signature(self, task_id: TaskId, task: AnyTask) -> Signature:
        message: dict[str, Any] = msgspec.to_builtins(task)
        kwargs = {"message": message}
        shown = described(self._pipeline, task)
        return self._app.signature(
            names.celery_task(task.kind),
            kwargs=kwargs,
            task_id=task_id,
            queue=task.queue,
            ignore_result=True,  # reports come on their own stream; a result would cost a subscription
            argsrepr=shown.args,
            kwargsrepr=shown.kwargs,
        )


def _group(chord: PublishChord) -> str:
    """The id under which Redis counts a chord's headers, with what they returned.

    It is another one for each attempt at the body: what a header returned that does not count any more, or in a life
    of the trigger before this, stays with the body that was to have it.
    """
    return f"{chord.body_id}/group.{chord.body.attempt}"

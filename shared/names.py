"""Every name outside our processes: queues, tasks, Redis keys and how long these last, environment variables."""

from __future__ import annotations

import re
from typing import Literal

from shared.ids import RunId, TaskId, WorkerId
from shared.messages.version import MESSAGE_VERSION

Role = Literal["train", "evaluate"]  # of a worker

# What a worker is told by its environment (workers/process/settings.py).
BROKER_VARIABLE = "MODYN_BROKER_URL"
ROLE_VARIABLE = "MODYN_ROLE"
HOSTNAME_VARIABLE = "MODYN_WORKER_NAME"
WORKER_VARIABLE = "MODYN_WORKER_ID"
LEASE_VARIABLE = "MODYN_LEASE_S"
DEVICE_VARIABLE = "MODYN_DEVICE"
NUMBER_VARIABLE = "MODYN_WORKER_NUMBER"  # among the workers that a supervisor starts on its machine; absent: 0
SLOT_VARIABLE = "MODYN_WORKER_SLOT"  # the slot's folder
METRICS_VARIABLE = "MODYN_METRICS"  # host:port at which its metrics are wanted; absent: nowhere
METRICS_AT_VARIABLE = "MODYN_METRICS_AT"  # and where others find them


def queue(kind: str, device: str = "cpu", version: int = MESSAGE_VERSION) -> str:
    """The Celery queue of a kind of work, or of that part of it which needs a kind of device: `evaluate.cuda`."""
    name = kind if device == "cpu" else f"{kind}.{device}"
    return name if version == 1 else f"{name}.v{version}"


def without_version(queue: str) -> str:
    """What people call a queue: the same whichever version of the messages it is for."""
    return re.sub(r"\.v\d+$", "", queue)


# What the workers of a role take, the first first: short work never stands behind long work. `gate` are evaluations
# that a decision to deploy waits for. The right to deploy stays with evaluate workers; a train worker that has just
# trained gathers at once, and helps with gates only when it has been idle for a while (workers/process/intake.py). Only
# train workers select where the strategy asks the current model.
_WORK_BY_ROLE: dict[Role, tuple[str, ...]] = {
    "train": ("gather", "select", "select_by_model", "train", "gate"),
    "evaluate": ("decide", "gather", "detect", "select", "gate", "evaluate"),
}
ROLES: tuple[Role, ...] = tuple(_WORK_BY_ROLE)
_ON_A_DEVICE = ("select_by_model", "train", "decide", "gate", "evaluate")  # work of which some needs a kind of device


def queues_of(role: Role, device: str = "cuda") -> tuple[str, ...]:
    """The queues that a worker of this role may serve on this device (`cpu`, `cuda:0`), in order of preference."""
    return tuple(
        queue(kind, on)
        for kind in _WORK_BY_ROLE[role]
        for on in (("cuda", "cpu") if kind in _ON_A_DEVICE and device.startswith("cuda") else ("cpu",))
    )


RECALLS = "modyn:recalls"  # channel: ids of runs whose tasks are to be handed back now; see recall_key
CLAIM_TTL_MS = 7 * 86_400 * 1000  # of a claim that is open: it outlives a supervisor that is away for days
DONE_TTL_MS = 600_000  # of one that is done, for a report sent again; later its trigger is settled
PROGRESS_TTL_MS = 3_600_000  # of what nobody journals
PROGRESS_KEPT = 1000  # about so many reports
WATCHED_KEY = "modyn:watched"  # exists while Flower is there: else nobody tells what happens to tasks
WATCHED_TTL_S = 15
FLEET_KEY = "modyn:fleet"  # set of worker ids; the truth of each is its own leased key
UNREAD_TTL_MS = 60_000  # of what a run shows of files that it does not read; renewed three times meanwhile
ANNOUNCEMENTS_CONSUMER = "supervisor"  # the only one of a run's group: a run has one owner
UNREAD_KEY = "modyn:unread"  # set of run ids; the truth of each is its own key, which expires


def queues_of_gates() -> tuple[str, ...]:
    """The queues of evaluations that a decision waits for."""
    return queue("gate", "cuda"), queue("gate")


def celery_task(kind: str) -> str:
    """The Celery name of a kind of task."""
    return f"modyn.{kind}"


def worker_key(worker: WorkerId) -> str:
    """JSON of one worker's registry entry; expires with its lease."""
    return f"modyn:worker:{worker}"


def claim_key(task: TaskId) -> str:
    """Hash: attempt, state (offered, claimed, released, done), owner, result. Expires after one of the TTLs above."""
    return f"modyn:claim:{task}"


def leases_key(run: RunId) -> str:
    """Sorted set: task id → Redis time in ms at which its lease ends. Lives as long as the run's tasks."""
    return f"modyn:run:{run}:leases"


def reports_key(run: RunId) -> str:
    """Stream of reports to the supervisor. Trimmed to what the journal does not have yet."""
    return f"modyn:run:{run}:reports"


def progress_key(run: RunId) -> str:
    """Stream of how far trainings are, capped at about PROGRESS_KEPT. Expires after PROGRESS_TTL_MS."""
    return f"modyn:run:{run}:progress"


def settled_key(run: RunId) -> str:
    """Number of the first trigger whose model may still be worked on. Expires after CLAIM_TTL_MS."""
    return f"modyn:run:{run}:settled"


def owner_key(run: RunId) -> str:
    """Hash: the supervisor that owns the run (token, host, pid, started, machine, lease_ms, term, beat). Leased."""
    return f"modyn:run:{run}:owner"


def owner_terms_key(run: RunId) -> str:
    """How often the run has been taken by an owner. Expires after CLAIM_TTL_MS."""
    return f"modyn:run:{run}:owner:terms"


def unread_key(run: RunId) -> str:
    """JSON of the files that a run does not read, where there are any. Expires after UNREAD_TTL_MS."""
    return f"modyn:run:{run}:unread"


def probe_key(run: RunId) -> str:
    """Written to see whether Redis takes anything. Expires in a second."""
    return f"modyn:run:{run}:probe"


def recall_key(run: RunId) -> str:
    """Exists while workers are to hand the run's tasks back. Expires after CLAIM_TTL_MS, removed when it goes on."""
    return f"modyn:run:{run}:recall"


def setup_key(run: RunId) -> str:
    """JSON of the run's setup record. Removed at teardown."""
    return f"modyn:run:{run}:setup"


def announcements_key(dataset: str) -> str:
    """Stream on which producers announce new data. Theirs: they trim it, and nothing of ours expires it."""
    return f"modyn:data:{dataset}"


def announcements_group(run: RunId) -> str:
    """A run's consumer group there. Made when a session begins to follow, destroyed when it ends."""
    return f"modyn:{run}"

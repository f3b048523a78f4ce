"""Every name outside our processes: Celery queues and tasks, Redis keys, with what lives there and for how long."""

from __future__ import annotations

from shared.ids import RunId, TaskId, WorkerId

# Version of the messages. It is part of the queues' names from the second on, so that workers that speak another one
# do not take what they cannot read.
MESSAGE_VERSION = 1


def _queue(kind: str) -> str:
    return kind if MESSAGE_VERSION == 1 else f"{kind}.v{MESSAGE_VERSION}"


# Celery queues, one a kind of work. An evaluate worker serves its queues in this order.
QUEUES_BY_ROLE = {
    role: tuple(map(_queue, kinds))
    for role, kinds in {"train": ("train",), "evaluate": ("select", "gather", "decide", "evaluate")}.items()
}
QUEUE_BY_TASK = {
    "select": _queue("select"),
    "train": _queue("train"),
    "check": _queue("train"),
    "gather": _queue("gather"),
    "decide": _queue("decide"),
    "evaluate": _queue("evaluate"),
    "baseline": _queue("evaluate"),
}
ROLE_BY_QUEUE = {queue: role for role, queues in QUEUES_BY_ROLE.items() for queue in queues}

CLAIM_TTL_MS = 7 * 86_400 * 1000  # a claim outlives every zombie
FLEET_KEY = "modyn:fleet"  # set of worker ids; the truth of each is its own leased key


def celery_task(kind: str) -> str:
    """The Celery name of a kind of task."""
    return f"modyn.{kind}"


def worker_key(worker: WorkerId) -> str:
    """JSON of one worker's registry entry; expires with its lease."""
    return f"modyn:worker:{worker}"


def claim_key(task: TaskId) -> str:
    """Hash: attempt, state (offered, claimed, done), owner, result. Expires after CLAIM_TTL_MS."""
    return f"modyn:claim:{task}"


def leases_key(run: RunId) -> str:
    """Sorted set: task id → Redis time in ms at which its lease ends. Lives as long as the run's tasks."""
    return f"modyn:run:{run}:leases"


def reports_key(run: RunId) -> str:
    """Stream of reports to the supervisor. Trimmed to what the journal does not have yet."""
    return f"modyn:run:{run}:reports"


def probe_key(run: RunId) -> str:
    """Written to see whether Redis takes anything. Expires in a second."""
    return f"modyn:run:{run}:probe"


def recall_key(run: RunId) -> str:
    """Exists while workers are to hand the run's tasks back. Expires after CLAIM_TTL_MS, removed when it goes on."""
    return f"modyn:run:{run}:recall"


def setup_key(run: RunId) -> str:
    """JSON of the run's setup record. Removed at teardown."""
    return f"modyn:run:{run}:setup"

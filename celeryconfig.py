"""Celery settings that differ from the defaults, each with its reason beside it."""

# JSON only, in all four places: a message can never carry code.
task_serializer = "json"
result_serializer = "json"
accept_content = ["json"]
result_accept_content = ["json"]

# A delivery is only a wake-up: our own claim decides who works, and late acknowledgement would start a second,
# concurrent copy of every task that outlasts the visibility timeout.
task_acks_late = False
# Without it a short task waits behind a busy worker while another one is idle.
worker_disable_prefetch = True
# CUDA does not survive a fork.
worker_pool = "prefork"
worker_pool_start_method = "spawn"
worker_concurrency = 1
# A replacement child imports torch; after the default 4 s it would be killed, again and again.
worker_proc_alive_timeout = 120
# Chords fire without stored results, and each result not stored saves about forty commands.
task_ignore_result = True
# A chord waits as long as its slowest training; the default of a day would leave it pending for ever.
result_chord_expires = 90 * 86_400
# With Redis away publishing a chord would block for 19 s; the supervisor keeps the intent and retries itself.
result_backend_transport_options = {"retry_policy": {"max_retries": 0}}
# A Redis that answers nobody is noticed as soon as by our own clients; the default is two minutes.
redis_socket_timeout = 5
broker_connection_retry_on_startup = True
# Only tasks that are acknowledged late would be cancelled, which are none; left out, Celery warns of it.
worker_cancel_long_running_tasks_on_connection_loss = True
# A worker waits for its broker however long that is away; the default gives up after a hundred tries.
broker_connection_max_retries = None
# A Redis whose memory or disk is full refuses to write; without this the worker would end at the first refusal.
broker_channel_error_retry = True
# Each worker has a queue of its own, for setup and gangs.
worker_direct = True
# A Redis that answers nobody is noticed. (In which order a worker serves its queues: workers/process/intake.py.)
broker_transport_options = {"socket_timeout": 10}
# What happens to tasks is told only while Flower is there, which asks workers to, and supervisors by a key in Redis
# (supervisor/run/onlookers.py). It takes a fifth of a supervisor's time, and doubles what a message costs a worker.
worker_send_task_events = False
# The bodies of chords go out from workers, one or two a trigger.
task_send_sent_event = True
# The worker logs through our own handlers.
worker_hijack_root_logger = False
enable_utc = True

"""The workers that the supervisor starts itself: started, respawned when they die, and stopped with it."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import msgspec

from shared.config.system import System
from shared.errors import NotReadyError
from shared.names import Role
from shared.processes import is_stopped
from supervisor.system.worker_process import PROJECT, how_it_ended, worker_command, worker_environment

_DRAIN_S = 20.0
_STOPPED_LEASES = 10  # somebody may look at a process, or suspend the machine
_RESPAWN_AFTER_S = 1.0  # a worker that dies at once must not be started a hundred times a second
_NOT_READY_AGAIN_S = 30.0  # nor one that has found out what it lacks, such as its device, every few seconds


class Member(msgspec.Struct, kw_only=True):
    """One worker of the fleet."""

    role: Role
    number: int  # among all
    name: str
    process: subprocess.Popen[bytes]
    started_s: float
    looks_stopped: int = 0  # how often in a row it was seen to stand still


class LocalFleet:
    """The embedded fleet. Workers write to one log file; the kernel ends them when the supervisor dies."""

    def __init__(self, system: System, broker_url: str, log: Path) -> None:
        self._system, self._broker_url = system, broker_url
        self._log = log.open("ab")
        self.workers_lost = 0
        self._lease_s, self._next_look_s = system.lease_s, 0.0
        train, evaluate = system.fleet.train, system.fleet.evaluate
        self._members = [
            *(self._start("train", number, f"train-{number}-{os.getpid()}") for number in range(train)),
            *(
                self._start("evaluate", train + number, f"evaluate-{number}-{os.getpid()}")
                for number in range(evaluate)
            ),
        ]

    def ended(self) -> dict[str, str]:
        """Workers that have ended, and how: `exit code 3`, `SIGKILL`."""
        ends = {member.name: member.process.poll() for member in self._members}
        return {name: how_it_ended(code) for name, code in ends.items() if code is not None}

    def respawn(self) -> list[str]:
        """Start again what has died; the names of those workers."""
        lost = []
        self._end_stopped()
        for member in self._members:
            if member.process.poll() is not None and time.monotonic() - member.started_s > _pause_s(member):
                self.workers_lost += 1
                lost.append(member.name)
                fresh = self._start(member.role, member.number, member.name)
                member.process, member.started_s, member.looks_stopped = fresh.process, fresh.started_s, 0
        return lost

    def _end_stopped(self) -> None:
        """End workers whose main process has stood still for many leases: nobody else can start one in their place."""
        now_s = time.monotonic()
        if now_s < self._next_look_s:
            return
        self._next_look_s = now_s + self._lease_s
        for member in self._members:
            member.looks_stopped = member.looks_stopped + 1 if is_stopped(member.process.pid) else 0
            if member.looks_stopped > _STOPPED_LEASES:
                member.process.kill()
                member.process.wait()

    def stop(self) -> None:
        """Have all workers hand back what they do and exit; end those that do not within the drain time."""
        for member in self._members:
            if member.process.poll() is None:
                member.process.terminate()
        deadline = time.monotonic() + _DRAIN_S
        for member in self._members:
            try:
                member.process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                member.process.kill()
                member.process.wait()
        self._log.close()

    def _start(self, role: Role, number: int, name: str) -> Member:
        device = device_of(role, self._system.fleet.device)
        process = subprocess.Popen(
            worker_command(role, name, os.getpid()),
            env=worker_environment(self._system, self._broker_url, device, number),
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # Ctrl+C is for the supervisor, which then lets the workers hand back
        )
        return Member(role=role, number=number, name=name, process=process, started_s=time.monotonic())


def device_of(role: Role, wanted: str) -> str:
    """What a worker is started for: `fleet.device` is that of train workers; others may do without what it asks for."""
    return wanted if role == "train" or wanted == "cpu" else "auto"


def _pause_s(member: Member) -> float:
    """Between two starts."""
    return _NOT_READY_AGAIN_S if member.process.returncode == NotReadyError.exit_code else _RESPAWN_AFTER_S

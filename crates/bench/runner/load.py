"""Load by wrk, and what the server spent while it lasted."""

import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from machine import cpu_seconds, family_cpu_seconds, forget_peak, memory
from server import Failure, Server
from sites import JOBS_DEAD, JOBS_LEFT, PICTURES, Site

SCRIPTS = Path(__file__).resolve().parents[1] / "load"
# Seconds within which the queue must be empty after uploads.
DRAIN = 120


@dataclass
class Request:
    """What is asked over and over."""

    path: str
    token: str | None = None
    script: str = "report.lua"
    arguments: tuple[str, ...] = ()
    clients: int = 32
    # The queue is worked off after the answer, and that counts too.
    uploads: bool = False


@dataclass
class Result:
    """One row, once."""

    rate: float
    p50: float
    p99: float
    cpu: float
    database_cpu: float | None
    peak: int


def need_wrk() -> None:
    if shutil.which("wrk") is None:
        raise Failure("wrk is missing: apt-get install wrk")


def wrk(server: Server, request: Request, seconds: int) -> subprocess.Popen:
    """Starts the load; `report` reads what it found out."""
    # A word that no other run uses, so that nothing is ever sent twice.
    word = f"n{time.time_ns():x}"
    command = ["wrk", "--threads", "1", "--connections", str(request.clients), "--duration", f"{seconds}s",
               "--timeout", "60s", "--script", SCRIPTS / request.script]
    if request.token:
        command += ["--header", f"Authorization: Bearer {request.token}"]
    command += [server.url(request.path), "--", word, *request.arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def report(load: subprocess.Popen) -> dict:
    output, _ = load.communicate()
    lines = [line for line in output.splitlines() if line.startswith("REPORT ")]
    if load.returncode != 0 or not lines:
        raise Failure(f"wrk has failed: {output}")
    found = json.loads(lines[0].removeprefix("REPORT "))
    if found["errors"] or not found["requests"]:
        raise Failure(f"{found['errors']} errors in {found['requests']} answers: {output}")
    return found


def measure(site: Site, server: Server, request: Request, seconds: int) -> Result:
    database = site.database
    family = database.cpu_pid()
    pictures = database.number(PICTURES) if request.uploads else 0
    forget_peak(server.pid)
    started, spent = time.perf_counter(), cpu_seconds(server.pid)
    database_spent = family_cpu_seconds(family) if family else 0.0
    found = report(wrk(server, request, seconds))
    done = found["requests"]
    took = found["seconds"]
    if request.uploads:
        drain(site)
        took = time.perf_counter() - started
        # With what the end of the load had cut off, but the server did.
        done = database.number(PICTURES) - pictures
        if done < found["requests"]:
            raise Failure(f"{found['requests']} uploads were answered, but only {done} became pictures")
    cpu = cpu_seconds(server.pid) - spent
    database_cpu = family_cpu_seconds(family) - database_spent if family else None
    return Result(
        rate=done / took,
        p50=found["p50"],
        p99=found["p99"],
        cpu=cpu / done * 1000,
        database_cpu=None if database_cpu is None else database_cpu / done * 1000,
        peak=memory(server.pid, "VmHWM"),
    )


def drain(site: Site) -> None:
    """Waits until all uploads have been worked at."""
    deadline = time.monotonic() + DRAIN
    while site.database.number(JOBS_LEFT):
        if time.monotonic() > deadline:
            raise Failure(f"the queue is not empty after {DRAIN} s")
        time.sleep(0.02)
    dead = site.database.number(JOBS_DEAD)
    if dead:
        raise Failure(f"{dead} jobs were given up: see {site.data.parent}/server.log")

"""Load by wrk, h2load and curl, and what the cache spent while it lasted."""

import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from edge_objects import Object
from edge_servers import Cache
from load import SCRIPTS, report
from server import Failure

# Longer than any round takes when nothing is wrong.
LIMIT = 120


@dataclass
class Load:
    """What is asked for, and by how many at once."""

    # "http", "https" or "h2": HTTP/1.1 with keep-alive, the same with TLS, HTTP/2 with TLS.
    protocol: str
    clients: int
    streams: int = 1


@dataclass
class Found:
    """What a tool has seen: times are milliseconds."""

    requests: int
    seconds: float
    bytes: int
    p50: float
    p99: float


@dataclass
class Result:
    """One row of one server, once."""

    rate: float
    megabytes: float
    p50: float
    p99: float
    cpu: float
    cpu_per_gb: float
    peak: int
    asked: int


def measure(cache: Cache, work) -> Result:
    """work: puts the load on and says what it found."""
    cache.forget_peak()
    asked, spent = cache.origin.requests(), cache.cpu()
    found = work()
    cpu = cache.cpu() - spent
    return Result(
        rate=found.requests / found.seconds,
        megabytes=found.bytes / found.seconds / 1e6,
        p50=found.p50,
        p99=found.p99,
        cpu=cpu / found.requests * 1000,
        cpu_per_gb=cpu / found.bytes * 1e9,
        peak=cache.peak(),
        asked=cache.origin.requests() - asked,
    )


def written(folder: Path, lines: list[str]) -> Path:
    file = folder / "list.txt"
    file.write_text("\n".join(lines) + "\n")
    return file


def steady(cache: Cache, load: Load, wanted: list[tuple[Object, str]], seconds: int) -> Found:
    """Asks for all of a list, over and over; with each object there may be a Range."""
    if load.protocol == "h2":
        lines = [cache.url("h2", one.path) for one, _ in wanted]
        return _h2load(cache, load, lines, ["--duration", str(seconds)])
    lines = [f"{one.path}\t{part}" for one, part in wanted]
    command = ["wrk", "--threads", "1", "--connections", str(load.clients), "--duration", f"{seconds}s", "--timeout",
               "60s", "--script", SCRIPTS / "edge.lua", cache.url(load.protocol, "/"), "--",
               written(cache.folder, lines)]
    found = report(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    # wrk counts no answer below 400 as an error; an answer without the object would be short.
    mean = sum(_length(one, part) for one, part in wanted) / len(wanted)
    if (len(wanted) == 1 or found["requests"] > 1000) and found["bytes"] < 0.7 * mean * found["requests"]:
        raise Failure(f"{cache.name}: {found['bytes']} bytes in {found['requests']} answers of {mean:.0f} on average")
    return Found(**{key: found[key] for key in ("requests", "seconds", "bytes", "p50", "p99")})


def _length(one: Object, part: str) -> int:
    if not part:
        return one.size
    start, end = part.removeprefix("bytes=").split("-")
    return int(end) - int(start) + 1


def crowd(cache: Cache, load: Load, one: Object) -> Found:
    """Everybody asks for the same at once, once each."""
    return _h2load(cache, load, [cache.url(load.protocol, one.path)], ["--requests", str(load.clients)], one.size)


def _h2load(cache: Cache, load: Load, lines: list[str], extent: list[str], size: int = 0) -> Found:
    log = cache.folder / "h2load.log"
    log.unlink(missing_ok=True)
    command = ["h2load", "--threads", "1", "--clients", str(load.clients), "--max-concurrent-streams",
               str(load.streams), *extent, "--log-file", log, "--input-file", written(cache.folder, lines)]
    if load.protocol != "h2":
        command.append("--h1")
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired as late:
        raise Failure(f"{cache.name}: h2load has not finished after {LIMIT} s") from late
    traffic = re.search(r"^traffic: .*\((\d+)\) data$", done.stdout, re.M)
    finished = re.search(r"^finished in ([\d.]+)(s|ms|us),", done.stdout, re.M)
    if done.returncode != 0 or not traffic or not finished or not log.exists():
        raise Failure(f"{cache.name}: h2load has failed: {done.stdout[-1500:]}{done.stderr[-500:]}")
    answers = [line.split("\t") for line in log.read_text().splitlines()]
    wrong = sorted({status for _, status, _ in answers} - {"200", "206"})
    failed = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", done.stdout)
    if wrong or not answers or any(int(count) for count in failed.groups()):
        raise Failure(f"{cache.name}: answers other than success ({', '.join(wrong)}): {done.stdout[-1500:]}")
    if size and int(traffic[1]) != size * load.clients:
        raise Failure(f"{cache.name}: {traffic[1]} bytes for {load.clients} times {size}")
    seconds = float(finished[1]) * {"s": 1, "ms": 1e-3, "us": 1e-6}[finished[2]]
    return _found(seconds, int(traffic[1]), [int(took) / 1000 for _, _, took in answers])


def once(cache: Cache, load: Load, wanted: list[Object]) -> Found:
    """Asks for all of a list once, in its order."""
    lines = [f'url = "{cache.url(load.protocol, one.path)}"\noutput = "/dev/null"' for one in wanted]
    version = "--http2" if load.protocol == "h2" else "--http1.1"
    command = ["curl", "--silent", "--show-error", "--insecure", version, "--parallel", "--parallel-max",
               str(load.clients), "--max-time", str(LIMIT), "--write-out", r"%{http_code} %{size_download} %{time_total}\n",
               "--config", written(cache.folder, lines)]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    answers = [line.split() for line in done.stdout.splitlines()]
    wrong = sorted({code for code, _, _ in answers} - {"200", "206"})
    if done.returncode != 0 or wrong or len(answers) != len(wanted):
        raise Failure(f"{cache.name}: {len(answers)} answers to {len(wanted)} requests, wrong ones {wrong}: "
                      f"curl has ended with {done.returncode} {done.stderr[-500:]}")
    total = sum(int(size) for _, size, _ in answers)
    if total != sum(one.size for one in wanted):
        raise Failure(f"{cache.name}: {total} bytes instead of {sum(one.size for one in wanted)}")
    return _found(seconds, total, [float(took) * 1000 for _, _, took in answers])


def _found(seconds: float, total: int, times: list[float]) -> Found:
    times.sort()
    return Found(len(times), seconds, total, times[len(times) // 2], times[len(times) * 99 // 100])

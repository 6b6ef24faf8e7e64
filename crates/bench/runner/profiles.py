"""Where the server's time goes during one row: perf, its top functions."""

import shutil
import subprocess
import time
from pathlib import Path

from load import drain, report, wrk
from rows import Row
from server import Failure, Server
from sites import Site, note

HINT = """perf does not work here (apt-get install linux-perf; as root, or with kernel.perf_event_paranoid at 1 or less).
valgrind can do it, fifty times slower:
  valgrind --tool=callgrind --callgrind-out-file=callgrind.out target/release/noren serve --data {data}
  then some requests by hand, Ctrl-C, and: callgrind_annotate callgrind.out"""
# The clock of the processor, not its counters: virtual machines have it too.
EVENT = ("--event", "cpu-clock", "--freq", "997")


def profile(site: Site, server: Server, row: Row, seconds: int) -> None:
    request = row.request(site)
    data = site.folder / "perf.data"
    load = wrk(server, request, seconds + 2)
    time.sleep(1)
    command = ["perf", "record", "--quiet", *EVENT, "--output", data, "--pid", str(server.pid), "--", "sleep", str(seconds)]
    try:
        recorded = shutil.which("perf") is not None and subprocess.run(command, check=False).returncode == 0
    finally:
        found = report(load)
    if request.uploads:
        drain(site)
    if not recorded or not data.exists():
        raise Failure(HINT.format(data=site.data))
    note(f"{row.title}: {found['requests'] / found['seconds']:.0f} requests/s while watched")
    show(data)


def show(data: Path) -> None:
    """What perf has recorded: the shares of threads, libraries, functions."""
    for title, order, lines in [("threads", "comm", 12), ("libraries", "dso", 8), ("functions", "dso,symbol", 60)]:
        print(f"\n== {title}\n{_report(data, order, lines)}", flush=True)


def _report(data: Path, order: str, lines: int) -> str:
    command = ["perf", "report", "--input", data, "--stdio", "--no-children", "--sort", order, "--percent-limit", "0.3"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    kept = [one.rstrip() for one in text.splitlines() if one.strip() and not one.startswith("#")]
    return "\n".join(kept[:lines])

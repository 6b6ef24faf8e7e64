"""The table of the edge."""

import json
import statistics
import subprocess
from dataclasses import asdict
from pathlib import Path

from edge_load import Result
from edge_rows import PROTOCOLS, Row
from edge_servers import need
from machine import ROOT, Machine
from tables import MEGA, milliseconds, short, write

MARKS = ("<!-- begin: written by scripts/bench-edge -->", "<!-- end: written by scripts/bench-edge -->")
KEPT = ROOT / "target/bench/edge-last.json"
HEAD = """\
| work | protocol | server | requests/s | MB/s | p50 / p99 ms | CPU s per GB | CPU s per 1000 | most resident \
| asked of the origin | Noren to nginx: requests/s | CPU |
|---|---|---|---|---|---|---|---|---|---|---|---|"""

# (row's name, protocol) → server → rounds
Results = dict[tuple[str, str], dict[str, list[Result]]]


def median(results: list[Result]) -> Result:
    """Each figure's own median; of what may not happen even once, the most."""
    columns = [asdict(result) for result in results]
    middle = Result(**{key: statistics.median(column[key] for column in columns) for key in columns[0]})
    middle.asked = max(result.asked for result in results)
    middle.peak = max(result.peak for result in results)
    return middle


def lines(row: Row, protocol: str, found: dict[str, list[Result]]) -> str:
    middles = {name: median(results) for name, results in found.items()}
    text = []
    for name, result in middles.items():
        other = middles.get("nginx") if name == "Noren" else None
        cells = [
            row.title,
            PROTOCOLS[protocol],
            name,
            short(result.rate),
            short(result.megabytes),
            f"{milliseconds(result.p50)} / {milliseconds(result.p99)}",
            short(result.cpu_per_gb),
            short(result.cpu),
            f"{result.peak / MEGA:.0f} MB",
            f"{result.asked:,}",
            "" if other is None else f"{result.rate / other.rate:.2f}",
            "" if other is None else f"{result.cpu / other.cpu:.2f}",
        ]
        text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text)


def table(rows: list[Row], results: Results) -> str:
    by_name = {row.name: row for row in rows}
    return "\n".join([HEAD, *(lines(by_name[name], protocol, found) for (name, protocol), found in results.items())])


def versions(program: Path) -> str:
    """Of what is compared and what puts the load on."""
    commands = [[program, "version"], [need("nginx", "nginx-light"), "-v"], ["openssl", "version"],
                ["h2load", "--version"], ["curl", "--version"]]
    found = []
    for command in commands:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        first = (done.stdout or done.stderr).strip().splitlines()[0]
        found.append(" ".join(first.removeprefix("nginx version: ").split()[:2]))
    return ", ".join(found)


def kind_of_disk(folder: Path) -> str:
    """The file system that objects and caches are on."""
    done = subprocess.run(["stat", "-f", "-c", "%T", str(folder)], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def keep(results: Results, machine: Machine) -> None:
    """Everything that was measured, for comparing runs."""
    plain = {" ".join(key): {name: [asdict(one) for one in rounds] for name, rounds in found.items()}
             for key, found in results.items()}
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps({"machine": asdict(machine), "rows": plain}, indent=1))


def publish(text: str, machine: Machine, command: str) -> None:
    write(text, machine, command, MARKS)

"""The table: for the terminal and for docs/benchmarks.md."""

import datetime
import json
import statistics
from dataclasses import asdict
from pathlib import Path

from load import Result
from machine import ROOT, Machine
from rows import ROWS

DOCUMENT = ROOT / "docs/benchmarks.md"
BEGIN, END = "<!-- begin: written by scripts/bench -->", "<!-- end: written by scripts/bench -->"
NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
MEGA = 2**20


def median(results: list[Result]) -> Result:
    """Each figure's own median."""
    columns = [asdict(result) for result in results]
    mid = lambda key: None if columns[0][key] is None else statistics.median(column[key] for column in columns)
    return Result(**{key: mid(key) for key in columns[0]})


def short(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def milliseconds(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def line(row, result: Result, engine: str) -> str:
    own = result.cpu + (result.database_cpu or 0)
    cells = [
        row.title,
        NAMES[engine],
        short(result.rate),
        f"{milliseconds(result.p50)} / {milliseconds(result.p99)}",
        short(result.cpu),
        "" if result.database_cpu is None else short(result.database_cpu),
        f"{result.peak / MEGA:.0f} MB",
        "" if row.peer is None else short(row.peer[0]),
        "" if row.peer is None else short(row.peer[1]),
        "" if row.peer is None else f"1/{row.peer[1] / own:.1f}" if own < row.peer[1] else f"{own / row.peer[1]:.1f}",
        "" if row.goal is None else f"{short(row.goal)}: {'met' if own <= row.goal else 'missed'}",
    ]
    return "| " + " | ".join(cells) + " |"


def table(results: dict[str, dict[str, list[Result]]]) -> str:
    """results: engine → row → repetitions."""
    lines = [
        "| work | engine | requests/s | p50 / p99 ms | CPU s per 1000 | of the database | most resident "
        "| peer: requests/s | peer: CPU s per 1000 | CPU, ours to the peer's | goal |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in ROWS:
        for engine, rows in results.items():
            if row.name in rows:
                lines.append(line(row, median(rows[row.name]), engine))
    return "\n".join(lines)


def life_table(lives: dict[str, dict]) -> str:
    """How the server starts and rests."""
    lines = [
        "| | engine | Noren | peer | goal |",
        "|---|---|---|---|---|",
    ]
    for engine, life in lives.items():
        name = NAMES[engine]
        start, rss, pss = life["start"] * 1000, life["rss"] / MEGA, life["pss"] / MEGA
        lines.append(f"| start to first 200 answer, this database | {name} | {start:.0f} ms | 4,300 ms "
                     f"| 100 ms: {'met' if start <= 100 else 'missed'} |")
        if life.get("first_start"):
            lines.append(f"| start to first 200 answer, nothing there yet | {name} "
                         f"| {life['first_start'] * 1000:.0f} ms | 6,000 ms | |")
        lines.append(f"| resident when idle (share of it, Pss) | {name} | {rss:.1f} MB ({pss:.1f} MB) | 131 MB "
                     f"| 40 MB: {'met' if rss <= 40 else 'missed'} |")
    return "\n".join(lines)


def sizes_line(sizes: dict[str, int]) -> str:
    titles = {row.name: row.title for row in ROWS}
    return "Bytes of the answers: " + "; ".join(f"{titles[name]}: {size:,}" for name, size in sizes.items()) + "."


def write(text: str, machine: Machine, command: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Puts the tables between the markers of the document."""
    begin, end = marks
    today = datetime.date.today().isoformat()
    head = (f"{today}, commit {machine.commit}, {machine.processor}, {machine.memory}, {machine.system}, "
            f"{machine.rustc}, load average before the run {machine.load:.2f}:\n\n```\n{command}\n```\n")
    before, _, rest = DOCUMENT.read_text().partition(begin)
    _, _, after = rest.partition(end)
    DOCUMENT.write_text(f"{before}{begin}\n{head}\n{text}\n{end}{after}")


def keep(path: Path, results: dict, lives: dict, machine: Machine) -> None:
    """Everything that was measured, for comparing runs."""
    plain = {e: {r: [asdict(one) for one in rs] for r, rs in rows.items()} for e, rows in results.items()}
    path.write_text(json.dumps({"machine": asdict(machine), "rows": plain, "life": lives}, indent=1))

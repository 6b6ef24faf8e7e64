"""Measures a release build of Noren on a filled site; see `scripts/bench --help`."""

import argparse
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import load
import profiles
import rows
import tables
from machine import Machine
from server import Failure, Server
from sites import Site, build, note

STATUSES = 50_000
STARTS = 9

BENCH = """
Needs Debian's wrk, and its postgresql for the engine postgres: apt-get install wrk postgresql
Filled sites are kept in target/bench (or NOREN_BENCH_DIR) and copied for each run.

Examples:
  scripts/bench                                everything, written to docs/benchmarks.md: about half an hour
  scripts/bench --quick                        small site, one short round, nothing written
  scripts/bench --engines sqlite --only home,status
"""
PROFILE = """
Needs Debian's wrk and linux-perf: apt-get install wrk linux-perf

Examples:
  scripts/profile home
  scripts/profile upload4 --engine postgres --seconds 20
"""


def arguments() -> argparse.Namespace:
    names = ", ".join(row.name for row in rows.ROWS)
    parser = argparse.ArgumentParser(prog="scripts/bench", epilog=f"Rows: {names}\n{BENCH}",
                                     description="Measure Noren and write docs/benchmarks.md.",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="sqlite,postgres", metavar="LIST", help="sqlite, postgres, or sqlite,postgres")
    parser.add_argument("--only", metavar="ROWS", help="only these rows; nothing is written")
    parser.add_argument("--quick", action="store_true", help="5,000 statuses, 3 s once for each row; nothing is written")
    parser.add_argument("--statuses", type=int, default=STATUSES, metavar="NUMBER", help="on the site (%(default)s)")
    parser.add_argument("--seconds", type=int, default=10, metavar="NUMBER", help="for each row (%(default)s)")
    parser.add_argument("--no-build", action="store_true", help="take the programs that are in target/release")
    parser.add_argument("--rounds", type=int, default=3, metavar="NUMBER", help="of which the median counts (%(default)s)")
    return parser.parse_args()


def profile_arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/profile", epilog=PROFILE,
                                     description="Print where the server's time goes during one row of scripts/bench.",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", choices=[row.name for row in rows.ROWS])
    parser.add_argument("--engine", default="sqlite", choices=["sqlite", "postgres"])
    parser.add_argument("--statuses", type=int, default=STATUSES, metavar="NUMBER")
    parser.add_argument("--seconds", type=int, default=10, metavar="NUMBER")
    parser.add_argument("--no-build", action="store_true", help="take the programs that are in target/release")
    return parser.parse_args(words)


@contextmanager
def running(engine: str, statuses: int):
    """A site of its own with its database started; the server is for the caller to start."""
    site = Site(engine, statuses)
    try:
        site.database.start()
        yield site
    finally:
        site.database.stop()
        site.remove()


@contextmanager
def serving(site: Site):
    server = Server(site.data, site.facts["domain"], site.database.url)
    try:
        yield server
    except Failure as failure:
        raise Failure(f"{failure}\n{server.state()}") from failure
    finally:
        server.stop()


def starts(site: Site, times: int) -> float:
    """Seconds to the first answer, the median of several starts."""
    taken = []
    for _ in range(times):
        with serving(site) as server:
            taken.append(server.ready_after)
    return statistics.median(taken)


def first_start(site: Site) -> float | None:
    """The same with nothing there; only where a database costs nothing."""
    if site.database.name != "sqlite":
        return None
    with tempfile.TemporaryDirectory(dir=site.folder) as folder:
        server = Server(Path(folder) / "data", site.facts["domain"], "sqlite")
        server.stop()
        return server.ready_after


def life(site: Site, times: int) -> dict:
    starts(site, 1)  # fills the caches of the system
    found = {"start": starts(site, times), "first_start": first_start(site)}
    with serving(site) as server:
        return found | server.idle_memory()


def measured(site: Site, chosen: list[rows.Row], options: argparse.Namespace) -> dict[str, list[load.Result]]:
    results = {}
    for row in chosen:
        # A server of its own for each row: none inherits another's memory.
        with serving(site) as server:
            rows.check(site, server, [row])
            load.report(load.wrk(server, row.request(site), 1))
            if row.request(site).uploads:
                load.drain(site)
            rounds = [load.measure(site, server, row.request(site), options.seconds) for _ in range(options.rounds)]
        results[row.name] = rounds
        print(tables.line(row, tables.median(rounds), site.database.name), flush=True)
    return results


def bench(options: argparse.Namespace) -> None:
    if options.quick:
        options.statuses, options.seconds, options.rounds = 5_000, 3, 1
    chosen, engines = rows.named(options.only), options.engines.split(",")
    machine = Machine.here()
    if machine.load > 0.7:
        note(f"this machine is busy (load average {machine.load:.2f}): figures will be worse than they are")
    results, lives, sizes = {}, {}, {}
    for engine in engines:
        with running(engine, options.statuses) as site:
            lives[engine] = life(site, 3 if options.quick else STARTS)
            with serving(site) as server:
                sizes = rows.check(site, server, chosen)
            results[engine] = measured(site, chosen, options)
    text = "\n\n".join([tables.table(results), tables.life_table(lives), tables.sizes_line(sizes)])
    print(f"\n{text}")
    tables.keep(rows_kept(), results, lives, machine)
    if not (options.quick or options.only or options.statuses != STATUSES):
        tables.write(text, machine, " ".join(["scripts/bench", *sys.argv[1:]]))
        note(f"written to {tables.DOCUMENT}")


def rows_kept() -> Path:
    return tables.ROOT / "target/bench/last.json"


def main() -> None:
    profiling = sys.argv[1:2] == ["profile"]
    options = profile_arguments(sys.argv[2:]) if profiling else arguments()
    load.need_wrk()
    if not options.no_build:
        build()
    if not profiling:
        bench(options)
        return
    with running(options.engine, options.statuses) as site, serving(site) as server:
        [row] = rows.named(options.row)
        rows.check(site, server, [row])
        profiles.profile(site, server, row, options.seconds)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except subprocess.CalledProcessError as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)

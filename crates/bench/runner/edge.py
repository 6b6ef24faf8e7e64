"""Measures `noren edge` against nginx before one bucket; see `scripts/bench-edge --help`."""

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import edge_rows
import edge_tables
import tables
from edge_objects import Objects, certificate
from edge_servers import Nginx, Noren, Origin, need
from machine import ROOT, Machine
from server import Failure
from sites import note

SPACE = 3_000_000_000
ROWS = "cold, crowd, small, mix, large, seek"
TEXT = f"""
Rows: {ROWS}
Needs noren and bench-bucket: cargo build --release -p noren -p bench
Needs Debian's nginx, wrk, h2load, curl and openssl: apt-get install nginx-light wrk nghttp2-client curl openssl
nginx runs in the foreground with configurations of its own; a service that is installed is left alone.
Objects are kept in target/bench/edge (or --folder), the caches are removed at the end: 3 GB altogether.

Examples:
  scripts/bench-edge                          everything, written to docs/benchmarks.md: about a quarter of an hour
  scripts/bench-edge --quick                  one short round, nothing written
  scripts/bench-edge --only mix --protocols https,h2
  scripts/bench-edge --servers noren --only small --rounds 1 --perf       (apt-get install linux-perf)
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench-edge", epilog=TEXT,
                                     description="Compare the edge with nginx and write docs/benchmarks.md.",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "target/release/noren", metavar="FILE",
                        help="a release build of noren (target/release/noren)")
    parser.add_argument("--bucket-program", type=Path, metavar="FILE",
                        help="a release build of bench-bucket (beside the program)")
    parser.add_argument("--only", metavar="ROWS", help="only these rows; nothing is written")
    parser.add_argument("--protocols", default=",".join(edge_rows.PROTOCOLS), metavar="LIST",
                        help="of %(default)s; nothing is written unless all")
    parser.add_argument("--servers", default="nginx,noren", metavar="LIST", help="of %(default)s; nothing is written unless both")
    parser.add_argument("--quick", action="store_true", help="1 s once for each row; nothing is written")
    parser.add_argument("--seconds", type=int, default=10, metavar="NUMBER", help="for each row that is not cold (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, metavar="NUMBER", help="of which the median counts (%(default)s)")
    parser.add_argument("--folder", type=Path, default=ROOT / "target/bench/edge", metavar="FOLDER",
                        help="for objects and caches (target/bench/edge)")
    parser.add_argument("--perf", action="store_true", help="print where the servers' time goes; nothing is written")
    options = parser.parse_args()
    if min(options.seconds, options.rounds) < 1:
        parser.error("--seconds and --rounds: at least 1")
    options.protocols = chosen("--protocols", options.protocols, edge_rows.PROTOCOLS)
    options.servers = chosen("--servers", options.servers, ("nginx", "noren"))
    return options


def chosen(option: str, text: str, known) -> list[str]:
    names = text.split(",")
    if not set(names) <= set(known):
        raise Failure(f"{option}: {text} is not of {', '.join(known)}")
    return names


def prepare(options: argparse.Namespace) -> None:
    for program, package in [("nginx", "nginx-light"), ("wrk", "wrk"), ("h2load", "nghttp2-client"), ("curl", "curl"),
                             ("openssl", "openssl")]:
        need(program, package)
    # A thousand clients at once, in the tools and the servers.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if most == resource.RLIM_INFINITY else min(most, 65_536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    if "noren" in options.servers:
        Noren.program = options.program.resolve()
        if not os.access(Noren.program, os.X_OK):
            raise Failure(f"{options.program} is missing: cargo build --release -p noren, or --program")
        done = subprocess.run([Noren.program, "edge", "--help"], capture_output=True, check=False)
        if done.returncode != 0:
            raise Failure(f"{options.program} does not know noren edge: it is too old")
    Origin.program = (options.bucket_program or options.program.parent / "bench-bucket").resolve()
    if not os.access(Origin.program, os.X_OK):
        raise Failure(f"{Origin.program} is missing: cargo build --release -p bench, or --bucket-program")
    if options.perf:
        need("perf", "linux-perf")
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    # Objects, and what each cache keeps of them.
    free = shutil.disk_usage(options.folder).free
    if free < SPACE:
        raise Failure(f"{options.folder} is on a disk with {free / 1e9:.1f} GB free: {SPACE / 1e9:.0f} GB are needed, see --folder")


@contextmanager
def running(options: argparse.Namespace, objects: Objects):
    """The caches that are compared, with their origin; gone afterwards, and so is what they kept."""
    work = options.folder / "run"
    shutil.rmtree(work, ignore_errors=True)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, work, ignore_errors=True)
        origin = Origin(work / "origin", objects)
        pair = certificate(options.folder)
        caches = [kind(work / kind.name.lower(), origin, pair) for kind in (Nginx, Noren)
                  if kind.name.lower() in options.servers]
        for process in [origin, *caches]:
            stack.callback(process.stop)
            process.start()
        yield caches


def bench(options: argparse.Namespace) -> None:
    if options.quick:
        options.seconds, options.rounds = 1, 1
    machine = Machine.here()
    if machine.load > 0.7:
        note(f"this machine is busy (load average {machine.load:.2f}): figures will be worse than they are")
    objects = Objects(options.folder)
    lists = edge_rows.Lists(objects)
    rows = edge_rows.named(lists.rows(), options.only)
    results: edge_tables.Results = {}
    print(edge_tables.HEAD, flush=True)
    with running(options, objects) as caches:
        warm = False
        for row in rows:
            if not row.cold and not warm:
                for cache in caches:
                    # Twice: what is fetched, and what is kept.
                    cache.check(objects.warm())
                    cache.check(objects.warm())
                warm = True
            for protocol in [one for one in row.protocols if one in options.protocols]:
                results[row.name, protocol] = edge_rows.rounds(lists, row, protocol, caches, options)
                print(edge_tables.lines(row, protocol, results[row.name, protocol]), flush=True)
        for cache in caches:
            cache.check(random.sample(objects.common, 100))
    finish(options, rows, results, machine)


def finish(options: argparse.Namespace, rows: list[edge_rows.Row], results: edge_tables.Results,
           machine: Machine) -> None:
    edge_tables.keep(results, machine)
    whole = len(options.protocols) == len(edge_rows.PROTOCOLS) and len(options.servers) == 2
    if whole and not (options.quick or options.only or options.perf):
        disk = edge_tables.kind_of_disk(options.folder)
        text = f"{edge_tables.table(rows, results)}\n\nWith {edge_tables.versions(Noren.program)}; files on {disk}."
        edge_tables.publish(text, machine, " ".join(["scripts/bench-edge", *sys.argv[1:]]))
        note(f"written to {tables.DOCUMENT}")


if __name__ == "__main__":
    try:
        options = arguments()
        prepare(options)
        bench(options)
    except (Failure, OSError) as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)

"""Measures how Noren speaks with two hundred other servers; see `scripts/bench-federation --help`."""

import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tables
from edge_servers import Process
from machine import ROOT, Machine, cpu_seconds, family_cpu_seconds, forget_peak, memory
from server import Failure, Server
from sites import ENGINES, note

HOSTS, AUTHORS, CONNECTIONS = 200, 50, 64
DEAD, SLOW = 10, 10
PATIENCE = 600
MARKS = ("<!-- begin: written by scripts/bench-federation -->", "<!-- end: written by scripts/bench-federation -->")
# Queues that do what other servers cause: default, push, pull.
LEFT = "SELECT COUNT(*) FROM jobs WHERE queue IN (0, 1, 2) AND state IN (0, 1) AND run_at <= {now}"
GIVEN_UP = "SELECT COUNT(*) FROM jobs WHERE state = 2"
REMOTE = "SELECT COUNT(*) FROM statuses WHERE uri LIKE 'http://127.0.1.%'"
TEXT = """
Needs noren and bench-peer: cargo build --release -p noren -p bench

What is measured, each with the CPU time of the server (and of PostgreSQL):
  ingest     signed posts of 50 followed people: until all are answered, and until all can be read
  followers  10,000 people of 200 servers follow somebody: fetched, checked, accepted
  delivery   one post to these 10,000 inboxes; 10 servers never answer, 10 take eight seconds

Examples:
  scripts/bench-federation                     written to docs/benchmarks.md: about ten minutes
  scripts/bench-federation --quick --engines sqlite       a tenth of it, once; nothing is written
"""


class Peer(Process):
    """All the other servers."""

    name = "bench-peer"
    program = Path("bench-peer")
    noren = ""

    def command(self) -> list[object]:
        return [self.program, "--port", self.port, "--noren", self.noren, "--hosts", HOSTS]

    def obey(self, order: str, **wanted: object) -> dict | list:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", f"/-/{order}?{urllib.parse.urlencode(wanted)}")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Failure(f"bench-peer, {order}: {body.decode(errors='replace')}")
        return json.loads(body)


@dataclass
class Row:
    """One piece of work, once. Seconds and CPU seconds for all of it."""

    count: int
    answered: float
    done: float
    cpu_answered: float
    cpu: float
    database_cpu: float | None
    peak: int


class Run:
    """One site, from nothing, and all the servers around it."""

    def __init__(self, folder: Path, engine: str, options: argparse.Namespace):
        self.folder, self.options = folder, options
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o755)
        self.database = ENGINES[engine](folder)
        # What is answered has to survive: the first start only makes the database, without waiting for the disk.
        self.database.start()
        self.database.stop()
        self.database.start()
        self.server = Server(folder / "data", None, self.database.url, options.program)
        self.token = self.person("bench")
        self.peer = Peer(folder / "peer")
        self.peer.noren = f"http://localhost:{self.server.port}"
        self.peer.start()

    def stop(self) -> None:
        for one in (self.peer, self.server, self.database):
            one.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def noren(self, *words: str) -> str:
        environment = os.environ | {"NOREN_DATABASE__URL": self.database.url}
        command = [self.options.program, *words, "--data", self.folder / "data"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"noren {words}: {done.stderr}")
        return done.stdout

    def person(self, name: str) -> str:
        self.noren("account", "create", name)
        return self.noren("token", "create", name).split()[-1]

    def ask(self, method: str, path: str, **form: object) -> dict:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {self.token}", "Host": f"localhost:{self.server.port}",
                   "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, urllib.parse.urlencode(form) if method == "POST" else None, headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Failure(f"{method} {path}: {answer.status} {body[:300]!r}")
        return json.loads(body)

    def until(self, what: str, is_so: Callable[[], bool]) -> None:
        started = time.monotonic()
        while not is_so():
            if time.monotonic() - started > PATIENCE:
                raise Failure(f"{what}: not within {PATIENCE} s; {self.server.state()}")
            time.sleep(0.05)

    def settled(self) -> bool:
        return self.database.number(LEFT.format(now=int(time.time() * 1000))) == 0

    def cpu(self) -> tuple[float, float | None]:
        postgres = self.database.cpu_pid()
        return cpu_seconds(self.server.pid), None if postgres is None else family_cpu_seconds(postgres)

    def measured(self, count: int, send: Callable[[], object], is_done: Callable[[], bool]) -> Row:
        forget_peak(self.server.pid)
        (own, others), started = self.cpu(), time.monotonic()
        send()
        answered, between = time.monotonic() - started, self.cpu()[0]
        self.until("the work is done", is_done)
        after = self.cpu()
        return Row(count, answered, time.monotonic() - started, between - own, after[0] - own,
                   None if others is None or after[1] is None else after[1] - others, memory(self.server.pid, "VmHWM"))

    def ingest(self) -> Row:
        for name in self.peer.obey("names", count=AUTHORS):
            found = self.ask("GET", f"/api/v2/search?resolve=true&type=accounts&q={urllib.parse.quote(name)}")
            self.ask("POST", f"/api/v1/accounts/{found['accounts'][0]['id']}/follow")
        self.until("all have accepted", lambda: self.peer.obey("arrived")["follows"] == AUTHORS and self.settled())
        requests = self.options.activities
        self.peer.obey("make", count=requests, actors=AUTHORS)
        row = self.measured(requests, lambda: self.sent(self.peer.obey("send", connections=CONNECTIONS)), self.settled)
        kept = self.database.number(REMOTE)
        if kept != requests:
            raise Failure(f"{requests} posts were sent, {kept} can be read; {self.server.state()}")
        return row

    def sent(self, told: dict) -> None:
        if told["statuses"] != {"202": told["count"]}:
            raise Failure(f"not all were taken: {told['statuses']}; {self.server.state()}")
        note(f"answered within {told['p50_ms']:.1f} ms (half), {told['p99_ms']:.1f} ms (99 of 100)")

    def followers(self) -> Row:
        self.peer.obey("make", count=self.options.inboxes, target=f"{self.peer.noren}/users/bench")
        row = self.measured(self.options.inboxes, lambda: self.sent(self.peer.obey("send", connections=CONNECTIONS)),
                            self.settled)
        me = self.ask("GET", "/api/v1/accounts/verify_credentials")
        if me["followers_count"] != self.options.inboxes:
            raise Failure(f"{me['followers_count']} follow, of {self.options.inboxes}; {self.server.state()}")
        return row

    def delivery(self) -> tuple[Row, dict]:
        per_host = self.options.inboxes // HOSTS
        good = self.options.inboxes - (DEAD + SLOW) * per_host
        self.peer.obey("expect", dead=DEAD, slow=SLOW)
        row = self.measured(self.options.inboxes, lambda: self.ask("POST", "/api/v1/statuses", status="To everybody."),
                            lambda: self.peer.obey("arrived")["good"] == good)
        told = self.peer.obey("arrived")
        note(f"{good} good inboxes in {told['good_seconds']:.1f} s; meanwhile {told['slow']} slow, {told['dead']} dead tries")
        if self.database.number(GIVEN_UP):
            raise Failure("jobs were given up")
        return row, told


def bench(options: argparse.Namespace) -> None:
    machine = Machine.here()
    Peer.program = (options.program.parent / "bench-peer").resolve()
    for one in (options.program, Peer.program):
        if not os.access(one, os.X_OK):
            raise Failure(f"{one} is missing: cargo build --release -p noren -p bench")
    results: dict[str, dict[str, list[Row]]] = {}
    for number in range(options.rounds):
        for engine in options.engines.split(","):
            note(f"{engine}, round {number + 1}")
            run = Run(options.folder, engine, options)
            try:
                rows = {"ingest": run.ingest(), "followers": run.followers(), "delivery": run.delivery()[0]}
            finally:
                run.stop()
            for name, row in rows.items():
                results.setdefault(engine, {}).setdefault(name, []).append(row)
                note(f"{name}: {row}")
    text = table(results)
    print(text)
    if not options.quick:
        tables.write(text, machine, " ".join(["scripts/bench-federation", *sys.argv[1:]]), MARKS)
        note(f"written to {tables.DOCUMENT}")


TITLES = {"ingest": "signed posts arrive", "followers": "new followers, fetched and accepted", "delivery": "one post to all inboxes"}


def table(results: dict[str, dict[str, list[Row]]]) -> str:
    lines = ["| work | engine | how many | answered, s | done, s | a second | CPU ms each, until answered | until done "
             "| of the database | most resident |", "|---|---|---|---|---|---|---|---|---|---|"]
    for engine, rows in results.items():
        for name, rounds in rows.items():
            middle = lambda key: statistics.median(getattr(row, key) for row in rounds)
            count, each = rounds[0].count, lambda seconds: f"{seconds * 1000 / rounds[0].count:.2f}"
            database = "" if rounds[0].database_cpu is None else each(middle("database_cpu"))
            seconds = middle("done") if name == "delivery" else middle("answered")
            lines.append("| " + " | ".join([
                TITLES[name], tables.NAMES[engine], f"{count:,}", f"{middle('answered'):.1f}", f"{middle('done'):.1f}",
                f"{count / seconds:,.0f}", each(middle("cpu_answered")), each(middle("cpu")), database,
                f"{max(row.peak for row in rounds) / tables.MEGA:.0f} MB"]) + " |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench-federation", epilog=TEXT,
                                     description="Measure federation and write docs/benchmarks.md.",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "target/release/noren", metavar="FILE",
                        help="a release build of noren, bench-peer beside it (target/release/noren)")
    parser.add_argument("--engines", default="sqlite,postgres", metavar="LIST", help="sqlite, postgres, or sqlite,postgres")
    parser.add_argument("--rounds", type=int, default=3, metavar="NUMBER", help="of which the median counts (%(default)s)")
    parser.add_argument("--activities", type=int, default=10_000, metavar="NUMBER", help="posts that arrive (%(default)s)")
    parser.add_argument("--inboxes", type=int, default=10_000, metavar="NUMBER", help="people who follow (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="a tenth of it, once; nothing is written")
    parser.add_argument("--folder", type=Path, default=ROOT / "target/bench/federation", metavar="FOLDER",
                        help="for the site (target/bench/federation)")
    options = parser.parse_args()
    options.program = options.program.resolve()
    if options.quick:
        options.rounds, options.activities, options.inboxes = 1, options.activities // 10, options.inboxes // 10
    return options


if __name__ == "__main__":
    try:
        bench(arguments())
    except (Failure, OSError) as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)

